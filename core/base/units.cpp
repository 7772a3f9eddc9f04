#include "core/base/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/base/text.h"

namespace stepper {
namespace {

// Takes a leading decimal number off `text`.
std::optional<double> takeNumber(std::string_view& text) {
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc{} || value < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return value;
}

constexpr double kMaxMs = 10.0 * 366 * 86400 * 1000;

}  // namespace

std::optional<std::chrono::milliseconds> parseDuration(std::string_view text) {
    // Longer names first, so that "ms" is not read as minutes.
    static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
        {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};
    text = trim(text);
    if (text.empty()) return std::nullopt;
    double total = 0;
    while (!text.empty()) {
        const auto number = takeNumber(text);
        if (!number) return std::nullopt;
        double unit = 0;
        for (const auto& [suffix, ms] : kUnits) {
            if (text.starts_with(suffix)) {
                unit = ms;
                text.remove_prefix(suffix.size());
                break;
            }
        }
        if (unit == 0) {
            if (!text.empty() || total != 0) return std::nullopt;
            unit = 1e3;
        }
        total += *number * unit;
    }
    if (!(total <= kMaxMs)) return std::nullopt;
    return std::chrono::milliseconds(static_cast<int64_t>(std::llround(total)));
}

std::string formatDuration(std::chrono::milliseconds d) {
    const auto ms = d.count();
    if (ms % 1000 != 0 || ms == 0) return std::to_string(ms) + "ms";
    if (ms % 86'400'000 == 0) return std::to_string(ms / 86'400'000) + "d";
    if (ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
    if (ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
    return std::to_string(ms / 1000) + "s";
}

std::optional<uint64_t> parseByteSize(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, double>, 10> kUnits = {{{"KiB", 1024.0},
                                                                                    {"MiB", 1048576.0},
                                                                                    {"GiB", 1073741824.0},
                                                                                    {"KB", 1e3},
                                                                                    {"MB", 1e6},
                                                                                    {"GB", 1e9},
                                                                                    {"kB", 1e3},
                                                                                    {"k", 1e3},
                                                                                    {"B", 1},
                                                                                    {"", 1}}};
    text = trim(text);
    const auto number = takeNumber(text);
    if (!number) return std::nullopt;
    text = trim(text);
    for (const auto& [suffix, factor] : kUnits)
        if (text == suffix && *number * factor < 9e18) return static_cast<uint64_t>(*number * factor);
    return std::nullopt;
}

}  // namespace stepper
