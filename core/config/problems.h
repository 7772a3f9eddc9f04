// Collects what is wrong with a configuration, so that one run shows it all. One owner, one thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"

namespace stepper::config {

class Problems {
public:
    // `path` is the key, "providers[2].limits", or empty for the file as a whole.
    void add(const Mark& mark, std::string_view path, std::string_view what);
    bool empty() const { return found_.empty(); }
    // One line each: files in the order they first had a problem, by place within one, the environment last.
    // A problem met twice (through an alias, or defaults merged into several providers) appears once.
    std::string text() const;

private:
    struct Problem {
        size_t file;
        Mark mark;
        std::string path, what;
    };
    std::vector<std::string> files_;
    std::vector<Problem> found_;
};

}  // namespace stepper::config
