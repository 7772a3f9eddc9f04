#include "core/api/start.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = *parseTime("2026-11-21T12:00:00Z");

std::string said(const char* body) {
    const auto start = readStart(*json::parse(body));
    if (!start) return start.error().message;
    const auto delay = delayUntil(*start, kNow);
    return delay ? std::to_string(delay->count()) : delay.error().message;
}

TEST(Start, IsAMomentOrADelay) {
    EXPECT_EQ(said("{}"), "0");
    EXPECT_EQ(said(R"({"runAt":null,"delaySeconds":null})"), "0");
    EXPECT_EQ(said(R"({"delaySeconds":0})"), "0");
    EXPECT_EQ(said(R"({"delaySeconds":1.5})"), "1500");
    EXPECT_EQ(said(R"({"delaySeconds":2592000})"), "2592000000");
    EXPECT_EQ(said(R"({"runAt":"2026-11-21T12:00:01.25Z"})"), "1250");
    EXPECT_EQ(said(R"({"runAt":"2026-11-21T14:30:00+02:00"})"), "1800000");
    EXPECT_EQ(said(R"({"runAt":"2026-12-21T12:00:00Z"})"), "2592000000");
    // Clocks differ a little.
    EXPECT_EQ(said(R"({"runAt":"2026-11-21T11:59:00Z"})"), "0");
}

TEST(Start, IsRefusedWhereItCannotBe) {
    constexpr auto kDelay = "Invalid delaySeconds: expected a number from 0 to 2592000";
    constexpr auto kMoment =
        "Invalid runAt: expected a moment with its offset, such as '2026-11-21T08:12:22+01:00'";
    const std::pair<const char*, const char*> cases[] = {
        {R"({"delaySeconds":-1})", kDelay},
        {R"({"delaySeconds":"60"})", kDelay},
        {R"({"delaySeconds":2592000.1})", kDelay},
        {R"({"delaySeconds":1e300})", kDelay},
        {R"({"runAt":1})", kMoment},
        {R"({"runAt":""})", kMoment},
        {R"({"runAt":"tomorrow"})", kMoment},
        {R"({"runAt":"2026-11-21"})", kMoment},
        {R"({"runAt":"2026-11-21T12:00:00"})", kMoment},
        {R"({"runAt":"2026-13-21T12:00:00Z"})", kMoment},
        {R"({"runAt":"Sat, 21 Nov 2026 13:00:00 GMT"})", kMoment},
        {R"({"runAt":"2026-11-21T13:00:00Z","delaySeconds":1})",
         "Invalid runAt: expected either runAt or delaySeconds, not both"},
        {R"({"runAt":"2026-11-21T11:58:59Z"})", "Invalid runAt: 2026-11-21T11:58:59.000Z has passed"},
        {R"({"runAt":"2026-12-21T12:00:01Z"})",
         "Invalid runAt: 2026-12-21T12:00:01.000Z is more than 30 days from now"},
    };
    for (const auto& [body, words] : cases) EXPECT_EQ(said(body), words) << body;
}

}  // namespace
}  // namespace stepper::api
