// Numbers in a query. Pure.
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stepper::api {

// A whole number from `least` (not negative) to `most` in decimal digits; none when it is something else.
inline std::optional<int64_t> wholeNumber(std::string_view text, int64_t least, int64_t most) {
    int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n < least || n > most)
        return std::nullopt;
    return n;
}

}  // namespace stepper::api
