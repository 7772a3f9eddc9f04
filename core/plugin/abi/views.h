// Borrowed views across the ABI, checked as far as they can be.
#pragma once
#include <optional>
#include <string_view>

#include "sdk/include/stepper/plugin_abi.h"

namespace stepper::plugin {

// A plugin's request with more headers is refused; they need not be carried.
inline constexpr size_t kMaxRequestHeaders = 64;

inline stepper_str toAbi(std::string_view s) { return {s.data(), s.size()}; }

// The view, unless it is longer than `max` bytes or has a length without a pointer.
inline std::optional<std::string_view> checkedView(stepper_str s, size_t max) {
    if (s.len == 0) return std::string_view{};
    if (!s.ptr || s.len > max) return std::nullopt;
    return std::string_view(s.ptr, s.len);
}

}  // namespace stepper::plugin
