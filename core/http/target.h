// The target of a request, taken apart and percent-decoded.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepper::http {

struct Target {
    std::string path;  // decoded; dots mean nothing
    std::vector<std::string>
        segments;  // decoded each by itself, so "%2F" stays inside one; no trailing empty one
    std::vector<std::pair<std::string, std::string>> query;
};

// None for a broken escape, or when control characters or ill-formed UTF-8 come out.
std::optional<Target> parseTarget(std::string_view raw);

}  // namespace stepper::http
