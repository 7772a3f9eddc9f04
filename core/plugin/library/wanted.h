// What is asked of a plugins folder: what is wanted of it, and what may be taken.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace stepper::plugin {

struct Wanted {
    std::filesystem::path dir;
    // Providers' configurations by kind, for the probe; a kind without enabled providers has none. Kinds that
    // are not named are not wanted by anybody.
    std::map<std::string, std::vector<std::string>> configs;
    bool require_sha256 = false;
    std::map<std::string, std::vector<std::string>> sha256;  // by file name without .so

    bool operator==(const Wanted&) const = default;
};

// Config error when a file of that content may not be taken; it says what to configure.
Result<void> checkPin(const std::filesystem::path& file, const std::string& sha256, const Wanted& wanted);

}  // namespace stepper::plugin
