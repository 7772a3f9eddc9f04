#include "core/limits/day_window.h"

#include <limits>

#include <gtest/gtest.h>

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kMidnight = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};
constexpr WallTime kNoon = kMidnight + 12h;
constexpr WallTime kNext = kMidnight + 24h;

DayWindow window(int64_t limit, milliseconds margin = 250ms) { return {limit, TimeZone::utc(), margin}; }

TEST(DayWindow, HoldsTheLimitUntilTheDayTurns) {
    DayWindow w = window(3);
    EXPECT_EQ(w.limit(), 3);
    EXPECT_EQ(w.readyIn(kNoon, 3), 0ms);
    w.add(kNoon, 2);
    EXPECT_EQ(w.used(kNoon), 2);
    EXPECT_EQ(w.readyIn(kNoon, 1), 0ms);
    EXPECT_EQ(w.readyIn(kNoon, 2), 12h + 250ms);
    EXPECT_EQ(w.resetIn(kNoon), 12h + 250ms);
    EXPECT_EQ(w.readyIn(kNext + 249ms, 2), 1ms);
    EXPECT_EQ(w.readyIn(kNext + 250ms, 3), 0ms);
    EXPECT_EQ(w.used(kNext + 250ms), 0);
    EXPECT_EQ(w.resetIn(kNext + 250ms), 24h);
}

TEST(DayWindow, WaitsAreRoundedUp) {
    DayWindow w = window(1);
    w.add(kNoon, 1);
    EXPECT_EQ(w.readyIn(kNext + 249ms + 1ns, 1), 1ms);
    EXPECT_EQ(w.resetIn(kNext + 249ms + 1ns), 1ms);
}

TEST(DayWindow, MoreThanTheLimitWaitsForAnEmptyDay) {
    DayWindow w = window(10);
    EXPECT_EQ(w.readyIn(kNoon, 1'000), 0ms);
    w.add(kNoon, 1);
    EXPECT_EQ(w.readyIn(kNoon, 1'000), 12h + 250ms);
}

TEST(DayWindow, CorrectionsNeverGoBelowZero) {
    DayWindow w = window(10);
    w.add(kNoon, 4);
    w.add(kNoon, -1);
    EXPECT_EQ(w.used(kNoon), 3);
    w.add(kNoon, -9);
    EXPECT_EQ(w.used(kNoon), 0);
    w.add(kNoon, 12);
    EXPECT_EQ(w.used(kNoon), 12);
    EXPECT_GT(w.readyIn(kNoon, 1), 0ms);
}

TEST(DayWindow, AnotherLimitKeepsWhatWasUsed) {
    DayWindow w = window(10);
    w.add(kNoon, 5);
    w.setLimit(5);
    EXPECT_EQ(w.limit(), 5);
    EXPECT_EQ(w.readyIn(kNoon, 1), 12h + 250ms);
    w.setLimit(6);
    EXPECT_EQ(w.readyIn(kNoon, 1), 0ms);
}

TEST(DayWindow, AroundMidnightCountsForBothDays) {
    DayWindow w = window(10);
    w.add(kNext - 251ms, 1);
    w.add(kNext - 250ms, 2);
    w.add(kNext + 249ms, 4);
    EXPECT_EQ(w.used(kNext + 249ms), 7);
    EXPECT_EQ(w.used(kNext + 250ms), 6);
    EXPECT_EQ(w.used(kNext + 24h + 250ms), 0);
}

TEST(DayWindow, WhatCountsForTheNextDayIsInItsWay) {
    DayWindow w = window(3);
    w.add(kNext - 100ms, 3);
    EXPECT_EQ(w.readyIn(kNext - 100ms, 1), 24h + 350ms);
    DayWindow with_room = window(3);
    with_room.add(kNoon, 1);
    with_room.add(kNext - 100ms, 2);
    EXPECT_EQ(with_room.readyIn(kNext - 100ms, 1), 350ms);
    EXPECT_EQ(with_room.readyIn(kNext - 100ms, 2), 24h + 350ms);
}

TEST(DayWindow, TakingBackNearMidnightIsOnTheSafeSide) {
    DayWindow w = window(10);
    w.add(kNoon, 5);
    w.add(kNext - 100ms, 3);
    w.add(kNext - 50ms, -2);
    EXPECT_EQ(w.used(kNext), 6);
    EXPECT_EQ(w.used(kNext + 250ms), 3);

    DayWindow all_back = window(10);
    all_back.add(kNext - 100ms, 3);
    all_back.add(kNext - 50ms, -3);
    EXPECT_EQ(all_back.used(kNext + 250ms), 0);
}

TEST(DayWindow, WhatIsLateIsTheNextDaysOnly) {
    DayWindow w = window(10);
    w.add(kNext - 100ms, 3);
    EXPECT_EQ(w.used(kNext + 48h), 0);
}

TEST(DayWindow, StartsJustAfterMidnightInTheOldDay) {
    DayWindow w = window(10);
    EXPECT_EQ(w.day(kMidnight + 249ms), kMidnight - 24h);
    w.add(kMidnight + 249ms, 1);
    EXPECT_EQ(w.used(kMidnight + 250ms), 1);
    EXPECT_EQ(w.day(kMidnight + 250ms), kMidnight);
}

TEST(DayWindow, WithoutAMarginTheDayTurnsAtMidnight) {
    DayWindow w = window(1, 0ms);
    w.add(kNext - 1ms, 1);
    EXPECT_EQ(w.readyIn(kNext - 1ms, 1), 1ms);
    EXPECT_EQ(w.readyIn(kNext, 1), 0ms);
}

TEST(DayWindow, AClockPutBackForgetsNothing) {
    DayWindow w = window(10);
    w.add(kNext + 1h, 6);
    EXPECT_EQ(w.used(kNoon), 6);
    EXPECT_EQ(w.day(kNoon), kMidnight);
    w.add(kNoon, 1);
    EXPECT_EQ(w.used(kNext + 2h), 6);
    EXPECT_EQ(w.used(kNext + 25h), 0);

    DayWindow from_the_future = window(10);
    from_the_future.add(kNoon + 100'000h, 10);
    EXPECT_EQ(from_the_future.resetIn(kNoon), 12h + 250ms);
    EXPECT_EQ(from_the_future.used(kNoon + 48h), 0);
}

TEST(DayWindow, DaysAreTheZones) {
    const auto zone = TimeZone::find("America/Los_Angeles");
    ASSERT_TRUE(zone);
    const WallTime autumn = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + 7h;
    DayWindow w(1, *zone, 250ms);
    EXPECT_EQ(w.day(autumn + 1h), autumn);
    w.add(autumn + 1h, 1);
    EXPECT_EQ(w.readyIn(autumn + 1h, 1), 24h + 250ms);
    EXPECT_EQ(w.resetIn(autumn + 25h + 250ms), 24h);
}

TEST(DayWindow, CountsTheSendsToCome) {
    DayWindow w = window(10);
    w.add(kNoon, 5);
    EXPECT_EQ(w.sendsUntil(kNoon, kNoon, 2), 2);
    EXPECT_EQ(w.sendsUntil(kNoon, kNext + 249ms, 2), 2);
    EXPECT_EQ(w.sendsUntil(kNoon, kNext + 250ms, 2), 7);
    EXPECT_EQ(w.sendsUntil(kNoon, kNext + 48h + 250ms, 2), 17);
    EXPECT_EQ(w.sendsUntil(kNoon, kNext + 48h + 250ms, 3), 10);
    EXPECT_EQ(w.sendsUntil(kNoon, kNext + 48h + 250ms, 1'000), 3);
    EXPECT_EQ(w.sendsUntil(kNoon, kNoon, 0), 5);
    w.add(kNext - 100ms, 4);
    EXPECT_EQ(w.sendsUntil(kNext - 100ms, kNext + 24h + 250ms, 1), 1 + 6 + 10);
    w.setLimit(3);
    EXPECT_EQ(w.sendsUntil(kNext - 100ms, kNext + 250ms, 1), 0);
}

TEST(DayWindow, RestoresTheSameDay) {
    DayWindow before = window(10);
    before.add(kNoon, 7);

    DayWindow after = window(10);
    after.restore(kNoon + 1h, before.day(kNoon), before.used(kNoon));
    EXPECT_EQ(after.used(kNoon + 1h), 7);
    after.restore(kNoon + 1h, before.day(kNoon), 3);
    EXPECT_EQ(after.used(kNoon + 1h), 7);

    DayWindow next_day = window(10);
    next_day.restore(kNext + 1h, before.day(kNoon), 7);
    EXPECT_EQ(next_day.used(kNext + 1h), 0);
    next_day.restore(kNext + 1h, kNext + 24h, 7);
    EXPECT_EQ(next_day.used(kNext + 1h), 0);
}

TEST(DayWindow, AbsurdCountsOverflowNothing) {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    DayWindow w(kMost, TimeZone::utc(), 250ms);
    w.restore(kNoon, kMidnight, kMost);
    for (int i = 0; i < 3; ++i) w.add(kNext - 1ms, kMost);
    EXPECT_GT(w.used(kNext), 0);
    EXPECT_EQ(w.readyIn(kNext, 1), 0ms);
    w.add(kNext, -kMost - 1);
    EXPECT_GE(w.used(kNext), 0);
    w.restore(kNext, kMidnight, -5);
    EXPECT_GE(w.used(kNext), 0);
}

}  // namespace
}  // namespace stepper::limits
