// What a provider's words say of how large a request may be, when it refused one as too large. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace stepper::limits {

// The most tokens that a request may have. None unless the words are of a known form and, where they tell
// what was asked for, it is more than that. To be asked of refusals of that kind only.
std::optional<int64_t> mostTokensIn(std::string_view words);

}  // namespace stepper::limits
