#include "core/base/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// A moment, in UTC.
WallTime at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
    const year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    return sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
}

// Asks at the beginning, inside and in the last moment of the day.
void expectDay(const char* zone_name, WallTime begin, WallTime end) {
    const auto zone = TimeZone::find(zone_name);
    ASSERT_TRUE(zone) << zone_name;
    for (const WallTime t : {begin, begin + 1ns, begin + (end - begin) / 2, end - 1ns}) {
        EXPECT_EQ(isoTime(zone->dayBegin(t)), isoTime(begin)) << zone_name << " at " << isoTime(t);
        EXPECT_EQ(isoTime(zone->nextDayBegin(t)), isoTime(end)) << zone_name << " at " << isoTime(t);
    }
}

TEST(TimeZone, UtcNeedsNoDatabase) {
    const TimeZone utc = TimeZone::utc();
    EXPECT_EQ(utc.name(), "UTC");
    EXPECT_EQ(utc.dayBegin(at(2026, 11, 21, 23, 59, 59) + 999ms), at(2026, 11, 21));
    EXPECT_EQ(utc.nextDayBegin(at(2026, 11, 21)), at(2026, 11, 22));
    EXPECT_EQ(utc.dayBegin(at(1969, 12, 31, 1)), at(1969, 12, 31));
    expectDay("UTC", at(2028, 2, 29), at(2028, 3, 1));
    expectDay("Etc/UTC", at(2028, 2, 29), at(2028, 3, 1));
}

TEST(TimeZone, DaysOf23And25Hours) {
    expectDay("America/Los_Angeles", at(2026, 3, 7, 8), at(2026, 3, 8, 8));
    expectDay("America/Los_Angeles", at(2026, 3, 8, 8), at(2026, 3, 9, 7));
    expectDay("America/Los_Angeles", at(2026, 3, 9, 7), at(2026, 3, 10, 7));
    expectDay("America/Los_Angeles", at(2026, 11, 1, 7), at(2026, 11, 2, 8));
    expectDay("America/Los_Angeles", at(2036, 11, 2, 7), at(2036, 11, 3, 8));
}

TEST(TimeZone, OffsetsOfPartsOfAnHour) {
    expectDay("Asia/Kathmandu", at(2026, 11, 20, 18, 15), at(2026, 11, 21, 18, 15));
    expectDay("Australia/Lord_Howe", at(2026, 10, 3, 13, 30), at(2026, 10, 4, 13));
}

TEST(TimeZone, DaysWithoutMidnightBeginWhenTheyBegin) {
    expectDay("America/Sao_Paulo", at(2018, 11, 4, 3), at(2018, 11, 5, 2));
    expectDay("America/Sao_Paulo", at(2018, 11, 3, 3), at(2018, 11, 4, 3));
    expectDay("Africa/Cairo", at(2024, 4, 25, 22), at(2024, 4, 26, 21));
    expectDay("Asia/Beirut", at(2022, 3, 26, 22), at(2022, 3, 27, 21));
}

TEST(TimeZone, DaysWhoseMidnightComesTwiceBeginAtTheFirst) {
    expectDay("America/Havana", at(2026, 11, 1, 4), at(2026, 11, 2, 5));
    expectDay("America/Havana", at(2026, 10, 31, 4), at(2026, 11, 1, 4));
    // 00:01 became 23:01 of the day before, so that a minute of the new day came first.
    expectDay("America/St_Johns", at(2009, 11, 1, 2, 30), at(2009, 11, 2, 3, 30));
    const auto zone = TimeZone::find("America/St_Johns");
    EXPECT_EQ(zone->dayBegin(at(2009, 11, 1, 3)), at(2009, 11, 1, 2, 30));
    EXPECT_EQ(zone->nextDayBegin(at(2009, 11, 1, 3)), at(2009, 11, 2, 3, 30));
}

TEST(TimeZone, ADayThatIsSkippedHasNoLength) {
    expectDay("Pacific/Apia", at(2011, 12, 29, 10), at(2011, 12, 30, 10));
    expectDay("Pacific/Apia", at(2011, 12, 30, 10), at(2011, 12, 31, 10));
}

TEST(TimeZone, UnknownNamesAreNone) {
    for (const char* name : {"", "Mars/Olympus", "america/los_angeles", "../etc/passwd", "../../etc/passwd",
                             "/etc/passwd", "America", "America/", "America/../UTC", "tzdata.zi", "zone.tab",
                             ".", "PST8PDT,M3.2.0,M11.1.0", "America/Los_Angeles "})
        EXPECT_FALSE(TimeZone::find(name)) << name;
    EXPECT_FALSE(TimeZone::find(std::string_view("UTC\0", 4)));
    EXPECT_FALSE(TimeZone::find(std::string(100'000, 'a')));
}

TEST(TimeZone, EveryNameCanBeFound) {
    const auto names = TimeZone::names();
    EXPECT_THAT(names, testing::IsSupersetOf({"America/Los_Angeles", "Europe/Berlin", "UTC"}));
    for (const std::string& name : names) {
        const auto zone = TimeZone::find(name);
        ASSERT_TRUE(zone) << name;
        EXPECT_EQ(zone->name(), name);
    }
}

// The C library's own reading of the zone files.
class LocalTime {
public:
    explicit LocalTime(const std::string& zone) {
        setenv("TZ", zone.c_str(), 1);
        tzset();
    }
    ~LocalTime() {
        unsetenv("TZ");
        tzset();
    }
    int date(WallTime t) const {
        const std::time_t seconds_since_1970 = std::chrono::system_clock::to_time_t(t);
        std::tm local{};
        localtime_r(&seconds_since_1970, &local);
        return (local.tm_year * 12 + local.tm_mon) * 31 + local.tm_mday;
    }
};

void expectDaysOf(const std::string& name, WallTime from, WallTime to, seconds step) {
    const auto zone = TimeZone::find(name);
    ASSERT_TRUE(zone) << name;
    const LocalTime local(name);
    WallTime begin = zone->dayBegin(from);
    int latest = local.date(begin);
    ASSERT_LT(local.date(begin - 1s), latest) << name;
    for (WallTime t = begin + step; t < to; t += step) {
        const bool begins = local.date(t) > latest;
        if (begins) {
            ASSERT_EQ(isoTime(zone->nextDayBegin(begin)), isoTime(t)) << name;
            latest = local.date(t);
            begin = t;
        }
        ASSERT_EQ(isoTime(zone->dayBegin(t)), isoTime(begin)) << name << " at " << isoTime(t);
    }
}

TEST(TimeZone, AgreesWithTheCLibrary) {
    for (const char* name : {"America/Sao_Paulo", "America/Havana", "Pacific/Apia", "Africa/Cairo",
                             "Asia/Gaza", "Africa/Casablanca"})
        expectDaysOf(name, at(2009, 1, 1), at(2013, 1, 1), 30min);
    for (const char* name : {"America/Los_Angeles", "Australia/Lord_Howe", "Asia/Beirut"})
        expectDaysOf(name, at(2026, 1, 1), at(2029, 1, 1), 30min);
    expectDaysOf("America/St_Johns", at(2009, 10, 20), at(2009, 11, 10), 1min);
}

}  // namespace
}  // namespace stepper
