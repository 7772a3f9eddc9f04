#include "core/telemetry/recurrence.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

using namespace std::chrono_literals;

TEST(Recurrence, IsToldAtOnceThenEverMoreRarelyWithHowOftenItWas) {
    ManualClock clock;
    Recurrence outage;
    int told = 0;
    int64_t of = 0;
    constexpr int kHours = 8;
    for (int second = 0; second < kHours * 3600; ++second, clock.advance(1s))
        if (const auto times = outage.happened(clock.now())) {
            EXPECT_EQ(times, second == 0 ? 1 : second == 60 ? 60 : second == 180 ? 120 : times);
            ++told;
            of += times;
        }
    EXPECT_LE(told, 8 + kHours);
    EXPECT_GE(told, 8);
    EXPECT_GT(of, (kHours - 1) * 3600);
}

TEST(Recurrence, AfterAQuietTimeItIsNewsAgain) {
    ManualClock clock;
    Recurrence stumble;
    EXPECT_EQ(stumble.happened(clock.now()), 1);
    EXPECT_EQ(stumble.happened(clock.now()), 0);
    clock.advance(61s);
    EXPECT_EQ(stumble.happened(clock.now()), 2);
    clock.advance(10min);
    EXPECT_EQ(stumble.happened(clock.now()), 1);
    clock.advance(59s);
    EXPECT_EQ(stumble.happened(clock.now()), 0) << "a minute, as at the beginning";
    clock.advance(1s);
    EXPECT_EQ(stumble.happened(clock.now()), 2);
}

TEST(Recurrences, NoKindHidesAnother) {
    ManualClock clock;
    Recurrences failures;
    EXPECT_EQ(failures.happened("CONTENT_FILTERED", clock.now()), 1);
    EXPECT_EQ(failures.happened("CONTENT_FILTERED", clock.now()), 0);
    EXPECT_EQ(failures.happened("TIMEOUT", clock.now()), 1);
    clock.advance(61s);
    EXPECT_EQ(failures.happened("CONTENT_FILTERED", clock.now()), 2);
    EXPECT_EQ(failures.happened("TIMEOUT", clock.now()), 1);
}

}  // namespace
}  // namespace stepper
