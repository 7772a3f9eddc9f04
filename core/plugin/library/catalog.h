// The plugins a snapshot of the configuration works with: what offers each kind, and what was refused and
// why.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/plugin/library/image.h"

namespace stepper::plugin {

struct Refused {
    std::filesystem::path file;
    std::string reason;
};

struct Catalog {
    std::map<std::string, Image, std::less<>> by_kind;
    std::vector<Refused> refused;

    std::vector<std::string> kinds() const;
};

}  // namespace stepper::plugin
