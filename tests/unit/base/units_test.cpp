#include "core/base/units.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

using namespace std::chrono_literals;

TEST(Units, Durations) {
    const std::pair<const char*, std::optional<std::chrono::milliseconds>> cases[] = {
        {"250ms", 250ms}, {"30s", 30s}, {"1.5m", 90s}, {"1h", 1h},   {"2d", 48h},
        {"1h30m", 90min}, {"5", 5s},    {"0", 0ms},    {" 3s ", 3s}, {"", {}},
        {"s", {}},        {"-1s", {}},  {"5x", {}},    {"1s2", {}},  {"1e3s", {}},
        {"99999d", {}},   {"nan", {}},  {"1 s", {}},   {"0x10", {}}, {"5sm", {}}};
    for (const auto& [text, expected] : cases) EXPECT_EQ(parseDuration(text), expected) << text;
}

TEST(Units, DurationsAreWrittenAsShortAsTheyGo) {
    EXPECT_EQ(formatDuration(250ms), "250ms");
    EXPECT_EQ(formatDuration(0ms), "0ms");
    EXPECT_EQ(formatDuration(90s), "90s");
    EXPECT_EQ(formatDuration(120s), "2m");
    EXPECT_EQ(formatDuration(48h), "2d");
}

TEST(Units, ByteSizes) {
    const std::pair<const char*, std::optional<uint64_t>> cases[] = {
        {"512", 512},       {"64KiB", 65536}, {"10MiB", 10485760}, {"1GiB", 1073741824},
        {"10MB", 10000000}, {"1.5KiB", 1536}, {"7 B", 7},          {"", {}},
        {"-1", {}},         {"x", {}},        {"1TiB2", {}},       {"99999999999GiB", {}}};
    for (const auto& [text, expected] : cases) EXPECT_EQ(parseByteSize(text), expected) << text;
}

}  // namespace
}  // namespace stepper
