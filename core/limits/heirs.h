// Which of the keys there were goes on as which of those there are now. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace stepper::limits {

// For each of `now` the index in `before` of the same one, else of the one in its place unless that goes on
// elsewhere, else none.
std::vector<std::optional<size_t>> heirsOf(const std::vector<std::string>& now,
                                           const std::vector<std::string>& before);

}  // namespace stepper::limits
