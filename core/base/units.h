// Human units as the configuration writes them.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepper {

// "250ms", "30s", "1.5m", "1h", "2d", "1h30m". A bare number is seconds; negative or absurd (over 10 years)
// is none.
std::optional<std::chrono::milliseconds> parseDuration(std::string_view text);
// The shortest exact form: "250ms", "30s", "1h".
std::string formatDuration(std::chrono::milliseconds d);

// "512", "64KiB", "10MiB", "1GiB", "10MB" (decimal). Bytes.
std::optional<uint64_t> parseByteSize(std::string_view text);

}  // namespace stepper
