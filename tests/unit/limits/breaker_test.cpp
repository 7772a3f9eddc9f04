#include "tests/unit/limits/breaker_script.h"

namespace stepper::limits {
namespace {

TEST_F(BreakerTest, AStormOfFailuresOpensItWithinTenCalls) {
    run({}, {{"F9", "closed 0 9 0"},
             {"F", "open 0 10 0"},
             {"T15000 S", "half-open 1 0 0"},
             {"S", "closed 0 0 0"}});
    run({}, {{"U4", "closed 0 4 4"}, {"U", "open 0 5 5"}});
}

TEST_F(BreakerTest, NothingThatSaysNothingOpensIt) { run({}, {{"X1000 S", "closed 1 0 0"}}); }

TEST_F(BreakerTest, AnyAnswerEndsTheRowOfUnreachable) {
    run({.min_calls = 1000}, {
                                 {"U4 F", "closed 0 5 0"},
                                 {"U4 S", "closed 1 9 0"},
                                 {"U4 X", "closed 1 13 4"},
                                 {"U", "open 1 14 5"},
                             });
}

TEST_F(BreakerTest, StaysOpenLongerEachTimeUntilTenMinutesClosed) {
    run({}, {
                {"U5 N15000 T15000 U N30000 T30000 F N60000 T60000 U N120000 T120000", "half-open 0 0 1"},
                {"U N240000 T240000 F N300000 T300000 F N300000", "open 0 1 0"},
                {"T300000 S2 T599999 U5 N300000", "open 0 5 5"},
                {"T300000 S2 T600000 U5 N15000", "open 0 5 5"},
            });
}

TEST_F(BreakerTest, JitterIsAFifthEachWayAndNeverMore) {
    chance_ = 0.0;
    run({}, {{"U5 N12000 T12000 U N24000", "open 0 1 6"}});
    chance_ = 0.25;
    run({}, {{"U5 N13500", "open 0 5 5"}});
    chance_ = 0.9999999;
    run({.max_open_for = 20s}, {{"U5 N18000 T18000 U N24000 T24000 U N24000", "open 0 1 7"}});
}

TEST_F(BreakerTest, WhoEnteredBeforeItOpenedIsNotHeard) {
    run({}, {{"A U5 f N15000", "open 0 5 5"}, {"T15000 A T1 s", "half-open 1 0 0"}});
}

TEST_F(BreakerTest, AProbeThatLostItsPlaceIsHeardOnlyUntilTheNextEnters) {
    const BreakerOptions options{.probe_lease = 20s};
    run(options, {
                     {"U5 T15000 A N20000 T20000 A N20000", "half-open 0 0 5"},
                     {"u N20000", "half-open 0 0 5"},
                     {"x A N20000", "half-open 0 0 5"},
                 });
    run(options, {
                     {"U5 T15000 A T25000 s", "half-open 1 0 0"},
                     {"A T5000 N15000", "half-open 1 0 0"},
                     {"s", "closed 0 0 0"},
                 });
    run(options, {{"U5 T15000 A T25000 f", "open 0 1 0"}});
}

TEST_F(BreakerTest, NobodyReportsTwiceInHalfOpen) {
    Breaker breaker({.consecutive = 1, .open_for = 10s}, [] { return 0.5; });
    breaker.leave(now_, breaker.enter(now_), Outcome::Unreachable);
    now_ += 10s;
    const auto probe = breaker.enter(now_);
    breaker.leave(now_, probe, Outcome::Ok);
    breaker.leave(now_, probe, Outcome::Ok);
    EXPECT_EQ(seen(breaker), "half-open 1 0 0");
    breaker.leave(now_, {}, Outcome::Ok);  // who never entered is not heard either
    EXPECT_EQ(seen(breaker), "half-open 1 0 0");
}

TEST_F(BreakerTest, ReconfigureKeepsTheStateAndForgetsCountsOnlyOfAnotherWindow) {
    Breaker breaker({}, [] { return 0.5; });
    for (int i = 0; i < 4; ++i) play(breaker, "F");
    breaker.reconfigure({.min_calls = 5});
    EXPECT_EQ(seen(breaker), "closed 0 4 0");
    play(breaker, "F");
    EXPECT_EQ(seen(breaker), "open 0 5 0");
    breaker.reconfigure({.window = 20s, .open_for = 1s, .probes = 1});
    EXPECT_EQ(seen(breaker), "open 0 0 0");
    EXPECT_EQ(shutFor(breaker), 15s);
    play(breaker, "T15000");
    play(breaker, "S");
    EXPECT_EQ(seen(breaker), "closed 0 0 0");
    play(breaker, "F");
    play(breaker, "T20000");
    EXPECT_EQ(seen(breaker), "closed 0 0 0");
}

TEST_F(BreakerTest, ATimeReadBeforeAnothersCountsAsNow) {
    Breaker breaker({}, [] { return 0.5; });
    breaker.leave(now_, breaker.enter(now_), Outcome::Ok);
    breaker.leave(now_ - 10s, breaker.enter(now_ - 10s), Outcome::Failed);
    EXPECT_EQ(seen(breaker), "closed 1 1 0");
    now_ += 54s;
    EXPECT_EQ(seen(breaker), "closed 1 1 0");
    now_ += 6s;
    EXPECT_EQ(seen(breaker), "closed 0 0 0");
}

}  // namespace
}  // namespace stepper::limits
