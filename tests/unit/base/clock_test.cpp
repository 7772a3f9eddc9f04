#include "core/base/clock.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kTen = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 10h;

TEST(ParseTime, ReadsBothForms) {
    const std::pair<const char*, WallTime> cases[] = {
        {"Sat, 21 Nov 2026 10:00:00 GMT", kTen},
        {"Sun, 06 Sep 2026 08:49:37 GMT", WallTime{1'788'684'577s}},
        {"2026-11-21T10:00:00Z", kTen},
        {"2026-11-21T10:00:00.25Z", kTen + 250ms},
        {"2026-11-21T10:00:00.000000001Z", kTen + 1ns},
        {"2026-11-21T10:00:00.1234567890123Z", kTen + 123'456'789ns},
        {"2026-11-21T10:00:00.1234567890123Z", kTen + 123'456'789ns},
        {"2026-11-21T12:00:00+02:00", kTen},
        {"2026-11-21T08:30:00-01:30", kTen},
        {"2000-01-01T00:00:00Z", WallTime{946'684'800s}},
        {"2199-12-31T23:59:59.999999999Z", WallTime{7'258'118'400s} - 1ns},
    };
    for (const auto& [text, t] : cases) {
        ASSERT_TRUE(parseTime(text)) << text;
        EXPECT_EQ(isoTime(*parseTime(text)), isoTime(t)) << text;
        EXPECT_EQ(*parseTime(text), t) << text;
    }
}

TEST(ParseTime, ReadsWhatItWrites) {
    const WallTime t = kTen + 12h + 59min + 7s;
    EXPECT_EQ(parseTime(httpDate(t)), t);
    EXPECT_EQ(parseTime(isoTime(t + 935ms)), t + 935ms);
}

TEST(ParseTime, RefusesTheRest) {
    for (const char* text : {"",
                             "20",
                             "2026",
                             "tomorrow",
                             "2026-11-21",
                             "2026-11-21T10:00:00",
                             "2026-11-21 10:00:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-02-29T00:00:00Z",
                             "2026-11-21T24:00:01Z",
                             "2026-11-21T10:60:00Z",
                             "2026-11-21T10:00:61Z",
                             "2026-11-21T10:00:00Z ",
                             "2026-11-21T10:00:00ZZ",
                             "2026-11-21T10:00:00.Z",
                             "2026-11-21T10:00:00.5",
                             "2026-11-21T10:00:00+24:00",
                             "2026-11-21T10:00:00+02:60",
                             "2026-11-21T10:00:00+0200",
                             "2026-11-21T10:00:00+02-00",
                             "2026-11-21T10:00:00+02:0l",
                             "2026-11-21T10:00:00*02:00",
                             "2026-11-21T1a:00:00Z",
                             "2026-11-00T10:00:00Z",
                             "2026-00-21T10:00:00Z",
                             "2026-11-21T10-00:00Z",
                             "2026-11-21T10:00-00Z",
                             "2026_11-21T10:00:00Z",
                             "2026-11_21T10:00:00Z",
                             "Sat; 21 Nov 2026 10:00:00 GMT",
                             "Sat, 21-Nov 2026 10:00:00 GMT",
                             "Sat, 21 Nov-2026 10:00:00 GMT",
                             "Sat, 21 Nov 2026-10:00:00 GMT",
                             "Sat, 21 anF 2026 10:00:00 GMT",
                             "Sat, -1 Nov 2026 10:00:00 GMT",
                             "2026-11-21T10:00:00+",
                             "2026--1-21T10:00:00Z",
                             "1999-12-31T23:59:59Z",
                             "2200-01-01T00:00:00Z",
                             "9999-12-31T23:59:59Z",
                             "20260-11-21T10:00:00Z",
                             "Sat, 21 Nov 2026 10:00:00",
                             "Sat, 21 Nov 2026 10:00:00 CET",
                             "Sat, 31 Feb 2026 10:00:00 GMT",
                             "Sat, 21 Nxv 2026 10:00:00 GMT",
                             "Sat, 21 Nov 1926 10:00:00 GMT",
                             "Sat, 21 Nov 2026 99:00:00 GMT",
                             "Saturday, 21-Nov-26 10:00:00 GMT",
                             "Sat Nov 21 10:00:00 2026"})
        EXPECT_FALSE(parseTime(text)) << text;
    EXPECT_FALSE(parseTime("2026-11-21T10:00:00Z" + std::string(100'000, ' ')));
    EXPECT_FALSE(parseTime(std::string_view("2026-11-21T10:00:00Z\0", 21)));
}

}  // namespace
}  // namespace stepper
