#include "core/limits/heirs.h"

#include <algorithm>

namespace stepper::limits {

std::vector<std::optional<size_t>> heirsOf(const std::vector<std::string>& now,
                                           const std::vector<std::string>& before) {
    std::vector<std::optional<size_t>> out(now.size());
    for (size_t i = 0; i < now.size(); ++i) {
        const auto same = std::ranges::find(before, now[i]);
        if (same != before.end()) out[i] = static_cast<size_t>(same - before.begin());
    }
    for (size_t i = 0; i < std::min(now.size(), before.size()); ++i)
        if (!out[i] && std::ranges::find(out, std::optional(i)) == out.end()) out[i] = i;
    return out;
}

}  // namespace stepper::limits
