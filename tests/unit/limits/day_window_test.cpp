#include "core/limits/day_window.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include <gtest/gtest.h>

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kMidnight = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21};
constexpr WallTime kNoon = kMidnight + 12h;
constexpr WallTime kNext = kMidnight + 24h;

// When nobody sets the wall clock.
DayTime at(WallTime t) { return {t, std::chrono::floor<milliseconds>(t - kMidnight) + 1'000'000h}; }

class NeverSet : public DayWindow {
public:
    using DayWindow::DayWindow;
    milliseconds readyIn(WallTime t, int64_t cost) { return DayWindow::readyIn(at(t), cost); }
    void add(WallTime t, int64_t units) { DayWindow::add(at(t), units); }
    int64_t used(WallTime t) { return DayWindow::used(at(t)); }
    milliseconds resetIn(WallTime t) { return DayWindow::resetIn(at(t)); }
    int64_t sendsUntil(WallTime t, WallTime until, int64_t each) {
        return DayWindow::sendsUntil(at(t), until, each);
    }
    WallTime day(WallTime t) { return saved(at(t)).day; }
    void restore(WallTime t, WallTime day, int64_t units) {
        DayWindow::restore(at(t), at(t), {day, units, 0});
    }
};

NeverSet window(int64_t limit, milliseconds margin = 250ms) { return {limit, TimeZone::utc(), margin}; }

TEST(DayWindow, HoldsTheLimitUntilTheDayTurns) {
    NeverSet w = window(3);
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
    NeverSet w = window(1);
    w.add(kNoon, 1);
    EXPECT_EQ(w.readyIn(kNext + 249ms + 1ns, 1), 1ms);
    EXPECT_EQ(w.resetIn(kNext + 249ms + 1ns), 1ms);
}

TEST(DayWindow, MoreThanTheLimitWaitsForAnEmptyDay) {
    NeverSet w = window(10);
    EXPECT_EQ(w.readyIn(kNoon, 1'000), 0ms);
    w.add(kNoon, 1);
    EXPECT_EQ(w.readyIn(kNoon, 1'000), 12h + 250ms);
}

TEST(DayWindow, CorrectionsNeverGoBelowZero) {
    NeverSet w = window(10);
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
    NeverSet w = window(10);
    w.add(kNoon, 5);
    w.setLimit(5);
    EXPECT_EQ(w.limit(), 5);
    EXPECT_EQ(w.readyIn(kNoon, 1), 12h + 250ms);
    w.setLimit(6);
    EXPECT_EQ(w.readyIn(kNoon, 1), 0ms);
}

TEST(DayWindow, AroundMidnightCountsForBothDays) {
    NeverSet w = window(10);
    w.add(kNext - 251ms, 1);
    w.add(kNext - 250ms, 2);
    w.add(kNext + 249ms, 4);
    EXPECT_EQ(w.used(kNext + 249ms), 7);
    EXPECT_EQ(w.used(kNext + 250ms), 6);
    EXPECT_EQ(w.used(kNext + 24h + 250ms), 0);
}

TEST(DayWindow, WhatCountsForTheNextDayIsInItsWay) {
    NeverSet w = window(3);
    w.add(kNext - 100ms, 3);
    EXPECT_EQ(w.readyIn(kNext - 100ms, 1), 24h + 350ms);
    NeverSet with_room = window(3);
    with_room.add(kNoon, 1);
    with_room.add(kNext - 100ms, 2);
    EXPECT_EQ(with_room.readyIn(kNext - 100ms, 1), 350ms);
    EXPECT_EQ(with_room.readyIn(kNext - 100ms, 2), 24h + 350ms);
}

TEST(DayWindow, TakingBackNearMidnightIsOnTheSafeSide) {
    NeverSet w = window(10);
    w.add(kNoon, 5);
    w.add(kNext - 100ms, 3);
    w.add(kNext - 50ms, -2);
    EXPECT_EQ(w.used(kNext), 6);
    EXPECT_EQ(w.used(kNext + 250ms), 3);

    NeverSet all_back = window(10);
    all_back.add(kNext - 100ms, 3);
    all_back.add(kNext - 50ms, -3);
    EXPECT_EQ(all_back.used(kNext + 250ms), 0);
}

TEST(DayWindow, WhatIsLateIsTheNextDaysOnly) {
    NeverSet w = window(10);
    w.add(kNext - 100ms, 3);
    EXPECT_EQ(w.used(kNext + 48h), 0);
}

TEST(DayWindow, StartsJustAfterMidnightInTheOldDay) {
    NeverSet w = window(10);
    EXPECT_EQ(w.day(kMidnight + 249ms), kMidnight - 24h);
    w.add(kMidnight + 249ms, 1);
    EXPECT_EQ(w.used(kMidnight + 250ms), 1);
    EXPECT_EQ(w.day(kMidnight + 250ms), kMidnight);
}

TEST(DayWindow, WithoutAMarginTheDayTurnsAtMidnight) {
    NeverSet w = window(1, 0ms);
    w.add(kNext - 1ms, 1);
    EXPECT_EQ(w.readyIn(kNext - 1ms, 1), 1ms);
    EXPECT_EQ(w.readyIn(kNext, 1), 0ms);
}

TEST(DayWindow, AClockPutBackForgetsNothing) {
    NeverSet w = window(10);
    w.add(kNext + 1h, 6);
    EXPECT_EQ(w.used(kNoon), 6);
    EXPECT_EQ(w.day(kNoon), kMidnight);
    w.add(kNoon, 1);
    EXPECT_EQ(w.used(kNext + 2h), 6);
    EXPECT_EQ(w.used(kNext + 25h), 0);

    NeverSet from_the_future = window(10);
    from_the_future.add(kNoon + 100'000h, 10);
    EXPECT_EQ(from_the_future.resetIn(kNoon), 12h + 250ms);
    EXPECT_EQ(from_the_future.used(kNoon + 48h), 0);
}

// The wall clock is set at noon; what was used before is in no day's way twice, and given away in none.
struct Set {
    const char* what;
    milliseconds by;
    int64_t used;  // on the day that it then is
};

std::string whatOf(const testing::TestParamInfo<Set>& set) {
    std::string name = set.param.what;
    std::ranges::replace(name, ' ', '_');
    return name;
}

class SetClock : public testing::TestWithParam<Set> {
protected:
    DayTime later(milliseconds passed) const { return {kNoon + GetParam().by + passed, 12h + passed}; }
    DayWindow w_ = window(10);
};
INSTANTIATE_TEST_SUITE_P(DayWindow, SetClock,
                         testing::Values(Set{"by nothing", 0ms, 6}, Set{"by less than counts", 900ms, 6},
                                         Set{"ahead within the day", 11h, 6},
                                         Set{"into the next day", 13h, 6}, Set{"years ahead", 87'600h, 6},
                                         Set{"back within the day", -11h, 6},
                                         Set{"into the day before", -13h, 6}, Set{"years back", -87'600h, 6}),
                         whatOf);

TEST_P(SetClock, WhatWasUsedStaysUsed) {
    w_.add({kNoon, 12h}, 6);
    EXPECT_EQ(w_.used(later(1ms)), GetParam().used);
    w_.add(later(1ms), 4);
    EXPECT_GT(w_.readyIn(later(1ms), 1), 0ms);
    // Were the clock wrong now, a day that begins soon would not be a new one.
    const milliseconds next = w_.resetIn(later(1ms)) + 1ms;
    EXPECT_EQ(w_.used(later(next)), std::abs(GetParam().by.count()) < 1'000 ? 0 : 6);
    EXPECT_EQ(w_.used(later(next + 24h)), 0);
}

TEST_P(SetClock, WhatWasUsedStaysUsedThroughARestart) {
    w_.add({kNoon, 12h}, 6);
    const auto saved = w_.saved({kNoon, 12h});
    DayWindow after = window(10);
    after.restore(later(1ms), {kNoon, 12h}, saved);
    EXPECT_EQ(after.used(later(1ms)), GetParam().used);
    const milliseconds next = after.resetIn(later(1ms)) + 1ms;
    EXPECT_EQ(after.used(later(next)), std::abs(GetParam().by.count()) < 1'000 ? 0 : 6);
}

TEST_P(SetClock, SetAndSetRightAgainNoDayIsOpenedTwice) {
    w_.add({kNoon, 12h}, 10);
    EXPECT_GT(w_.readyIn(later(1h), 1), 0ms);
    EXPECT_GT(w_.readyIn({kNoon + 2h, 14h}, 1), 0ms);
    EXPECT_EQ(w_.readyIn({kNext + 24h + 1s, 48h + 1s}, 10), 0ms) << "nor lost for ever";
}

TEST(DayWindow, ADayThatPassedWhileNothingRanIsOver) {
    DayWindow before = window(10);
    before.add({kNoon, 12h}, 6);
    DayWindow after = window(10);
    after.restore({kNext + 1h, 25h}, {kNoon, 12h}, before.saved({kNoon, 12h}));
    EXPECT_EQ(after.used({kNext + 1h, 25h}), 0);
}

TEST(DayWindow, WhatIsLateIsTheNextDaysAfterARestart) {
    DayWindow before = window(10);
    before.add({kNext - 100ms, 24h - 100ms}, 3);
    DayWindow after = window(10);
    after.restore({kNext + 1s, 24h + 1s}, {kNext - 50ms, 24h - 50ms},
                  before.saved({kNext - 50ms, 24h - 50ms}));
    EXPECT_EQ(after.used({kNext + 1s, 24h + 1s}), 3);
}

TEST(DayWindow, DaysAreTheZones) {
    const auto zone = TimeZone::find("America/Los_Angeles");
    ASSERT_TRUE(zone);
    const WallTime autumn = std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + 7h;
    NeverSet w(1, *zone, 250ms);
    EXPECT_EQ(w.day(autumn + 1h), autumn);
    w.add(autumn + 1h, 1);
    EXPECT_EQ(w.readyIn(autumn + 1h, 1), 24h + 250ms);
    EXPECT_EQ(w.resetIn(autumn + 25h + 250ms), 24h);
}

TEST(DayWindow, CountsTheSendsToCome) {
    NeverSet w = window(10);
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
    NeverSet before = window(10);
    before.add(kNoon, 7);

    NeverSet after = window(10);
    after.restore(kNoon + 1h, before.day(kNoon), before.used(kNoon));
    EXPECT_EQ(after.used(kNoon + 1h), 7);
    after.restore(kNoon + 1h, before.day(kNoon), 3);
    EXPECT_EQ(after.used(kNoon + 1h), 7);

    NeverSet next_day = window(10);
    next_day.restore(kNext + 1h, before.day(kNoon), 7);
    EXPECT_EQ(next_day.used(kNext + 1h), 0);
    next_day.restore(kNext + 1h, kNext + 24h, 7);
    EXPECT_EQ(next_day.used(kNext + 1h), 7) << "the clock was put back";
}

TEST(DayWindow, AbsurdCountsOverflowNothing) {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    NeverSet w(kMost, TimeZone::utc(), 250ms);
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
