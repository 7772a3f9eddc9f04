// Which route serves a path and method. Immutable once made: safe from any thread.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/http/http.h"

namespace stepper::http {

class Router {
public:
    // A pattern is "/" or "/literal/{name}/…"; of two routes that fit, the one with fewer names wins.
    explicit Router(std::vector<Route> routes);

    struct Match {
        std::string_view pattern;      // "" when no route has this path
        Role role = Role::Client;      // that of its route, or of the first of that path
        const Route* route = nullptr;  // null when none of them has this method
        std::vector<std::pair<std::string, std::string>> params;
        std::string allow;  // the methods this path has, as the Allow header lists them
    };
    Match find(std::string_view method, const std::vector<std::string>& segments) const;

private:
    struct Entry {
        Route route;
        std::vector<std::string> segments;  // "{name}" as written
        size_t names = 0;
    };
    std::vector<Entry> entries_;  // fewest names first
};

}  // namespace stepper::http
