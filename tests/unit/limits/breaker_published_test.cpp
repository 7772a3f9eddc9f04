// What other breakers publish as their tests, in our terms. A comment says where ours differs on purpose.
#include "tests/unit/limits/breaker_script.h"

namespace stepper::limits {
namespace {

using BreakerPublishedTest = BreakerTest;

constexpr int kNever = 1'000'000;

// The cases of sony/gobreaker v2, gobreaker_test.go. There, opening forgets the counts; here they stay to be
// seen until it goes half-open.

TEST_F(BreakerPublishedTest, GobreakerDefault) {
    // Failures in a row are those to reach the provider here.
    const BreakerOptions options{.window = 24h,
                                 .min_calls = kNever,
                                 .consecutive = 6,
                                 .open_for = 60s,
                                 .max_open_for = 60s,
                                 .probes = 1};
    run(options, {
                     {"U5", "closed 0 5 5"},
                     {"S", "closed 1 5 0"},
                     {"U", "closed 1 6 1"},
                     {"U4", "closed 1 10 5"},
                     {"U", "open 1 11 6"},
                     {"N60000 T59000 N1000", "open 1 11 6"},
                     {"T1000", "half-open 0 0 6"},
                     {"U", "open 0 1 7"},
                     {"T59999 N1", "open 0 1 7"},
                     {"T1", "half-open 0 0 7"},
                     {"S", "closed 0 0 0"},
                 });
}

const BreakerOptions kCustom{.window = 30s,
                             .min_calls = 3,
                             .failure_rate = 0.6,
                             .consecutive = kNever,
                             .open_for = 90s,
                             .max_open_for = 90s,
                             .probes = 3,
                             .probe_lease = 60s};

TEST_F(BreakerPublishedTest, GobreakerCustom) {
    // Its interval is fixed, our window rolls: the success a second before the interval's end still counts.
    run(kCustom, {
                     {"S F X S F X S F X S F X S F X", "closed 5 5 0"},
                     {"T29000 S", "closed 6 5 0"},
                     {"T1000 F", "closed 1 1 0"},
                     {"S", "closed 2 1 0"},
                     {"F", "closed 2 2 0"},
                     {"F", "open 2 3 0"},  // 3 of 5 is 0.6
                     {"N90000 T90000", "half-open 0 0 0"},
                     {"S S", "half-open 2 0 0"},
                     {"X4", "half-open 2 0 0"},
                     {"A N", "half-open 2 0 0"},
                     {"s", "closed 0 0 0"},
                 });
}

TEST_F(BreakerPublishedTest, GobreakerRollingWindow) {
    const std::vector<Row> rows{
        {"S F S F S F S F S F", "closed 5 5 0"},
        {"T3000 S", "closed 6 5 0"},
        {"T2000 S", "closed 7 5 0"},
        {"T2000 S", "closed 8 5 0"},
        {"T2000 F", "closed 8 6 0"},
        {"T3000 S F", "closed 9 7 0"},
        {"T3000 S F", "closed 10 8 0"},
        {"T3000 S F", "closed 11 9 0"},
        {"T3000 S F", "closed 12 10 0"},
        {"T3000 S F", "closed 13 11 0"},
        {"T3000 S F", "closed 14 12 0"},
        {"T3000 F", "closed 9 8 0"},  // the first bucket is gone
        {"F", "closed 9 9 0"},
        {"F", "closed 9 10 0"},
        {"F", "closed 9 11 0"},
        {"F", "closed 9 12 0"},
        {"F", "closed 9 13 0"},
        {"F", "open 9 14 0"},  // 14 of 23
        {"T90000", "half-open 0 0 0"},
        {"S S", "half-open 2 0 0"},
        {"A N", "half-open 2 0 0"},
        {"s", "closed 0 0 0"},
    };
    run(kCustom, rows);
}

TEST_F(BreakerPublishedTest, GobreakerGeneration) {
    // There, the end of an interval is a new generation too; our window rolls, so only a change of state is.
    run(kCustom, {
                     {"T29000 S A T1000", "closed 1 0 0"},
                     {"s", "closed 2 0 0"},
                     {"A5 F3", "open 2 3 0"},
                     {"f", "open 2 3 0"},
                     {"T90000 s", "half-open 0 0 0"},
                     {"A s N f N", "half-open 0 0 0"},  // the next two that stayed, not the probe
                     {"u", "half-open 0 0 0"},
                     {"s", "half-open 1 0 0"},
                     {"S2", "closed 0 0 0"},
                 });
}

TEST_F(BreakerPublishedTest, GobreakerIsSuccessfulAndIsExcluded) {
    BreakerOptions options = kCustom;
    options.consecutive = 6;
    options.min_calls = kNever;
    run(options, {
                     {"S5", "closed 5 0 0"},
                     {"X5", "closed 5 0 0"},
                     {"U5", "closed 5 5 5"},
                     {"X2", "closed 5 5 5"},
                     {"U", "open 5 6 6"},
                 });
}

TEST_F(BreakerPublishedTest, GobreakerManySuccesses) { run(kCustom, {{"S100000", "closed 100000 0 0"}}); }

// The cases of resilience4j, CircuitBreakerStateMachineTest. Slowness is not scored here and no state can be
// forced, so its cases about those have no counterpart; what it forces open opens by five failures.

const BreakerOptions kResilience{.window = 5s,
                                 .min_calls = 5,
                                 .failure_rate = 0.5,
                                 .consecutive = kNever,
                                 .open_for = 5s,
                                 .max_open_for = 1h,
                                 .probes = 4,
                                 .probe_lease = 60s};

TEST_F(BreakerPublishedTest, ResilienceOpensAboveTheRate) {
    // There, the fifth call opens it even though it is a success; here only a failure does.
    run(kResilience, {
                         {"F", "closed 0 1 0"},
                         {"F", "closed 0 2 0"},
                         {"F", "closed 0 3 0"},
                         {"S", "closed 1 3 0"},
                         {"S", "closed 2 3 0"},
                         {"F", "open 2 4 0"},
                         {"N", "open 2 4 0"},
                     });
}

TEST_F(BreakerPublishedTest, ResiliencePermitsInHalfOpen) {
    // There, as many at once as decide; here one at a time.
    run(kResilience, {
                         {"F5 T5000 A N N", "half-open 0 0 0"},
                         {"x A N", "half-open 0 0 0"},
                         {"f N10000 T10000", "half-open 0 0 0"},
                         {"A N", "half-open 0 0 0"},
                     });
}

TEST_F(BreakerPublishedTest, ResilienceHalfOpenAfterTheWait) {
    // There, the second wait is longer by half; here it is twice the first.
    run(kResilience, {
                         {"F5", "open 0 5 0"},
                         {"N T3000 N", "open 0 5 0"},
                         {"T3000", "half-open 0 0 0"},
                         {"F", "open 0 1 0"},
                         {"T6000 N", "open 0 0 0"},
                         {"T5000 A N", "half-open 0 0 0"},
                     });
}

TEST_F(BreakerPublishedTest, ResilienceBackToOpen) {
    // There, the rate of four calls decides, so that one failure of four still closes; here one is enough.
    run(kResilience, {{"F5 T5000 F", "open 0 1 0"}});
    run(kResilience, {{"F5 T5000 S3 X", "half-open 3 0 0"}, {"F", "open 3 1 0"}});
}

TEST_F(BreakerPublishedTest, ResilienceBackToClosed) {
    run(kResilience, {
                         {"F5 T5000 X4", "half-open 0 0 0"},
                         {"S3", "half-open 3 0 0"},
                         {"S", "closed 0 0 0"},
                         {"S", "closed 1 0 0"},
                     });
}

TEST_F(BreakerPublishedTest, ResilienceHalfOpenDoesNotLastForever) {
    // There, it opens again after a time; here the permit of a probe that does not report is given to the
    // next.
    run(kResilience, {{"F5 T5000 A N60000 T59999 N1 T1 A N60000", "half-open 0 0 0"}});
}

// SlidingTimeWindowMetricsTest and FixedSizeSlidingWindowMetricsTest; its buckets are seconds, ours half of
// one.

const BreakerOptions kOnlyCounts{.window = 5s, .min_calls = kNever, .consecutive = kNever};

TEST_F(BreakerPublishedTest, ResilienceWindowIsCleared) {
    run(kOnlyCounts, {
                         {"", "closed 0 0 0"},
                         {"F", "closed 0 1 0"},
                         {"T100 S", "closed 1 1 0"},
                         {"T700 S", "closed 2 1 0"},
                         {"T4000", "closed 2 1 0"},
                         {"T1000", "closed 0 0 0"},
                         {"T100 S", "closed 1 0 0"},
                     });
}

TEST_F(BreakerPublishedTest, ResilienceWindowSlides) {
    run(kOnlyCounts, {
                         {"F", "closed 0 1 0"},
                         {"T100 S", "closed 1 1 0"},
                         {"T100 S", "closed 2 1 0"},
                         {"T1000 S", "closed 3 1 0"},
                         {"T1000 S", "closed 4 1 0"},
                         {"T1000 F", "closed 4 2 0"},
                         {"T1000 S", "closed 5 2 0"},
                         {"T1000 S", "closed 4 1 0"},
                         {"T1000 S", "closed 4 1 0"},
                         {"T5000 S", "closed 1 0 0"},
                     });
}

TEST_F(BreakerPublishedTest, ResilienceFixedSize) {
    // There, the fifth call pushes the first out; here time does.
    run(kOnlyCounts, {
                         {"F", "closed 0 1 0"},
                         {"S3", "closed 3 1 0"},
                         {"S", "closed 4 1 0"},
                         {"T4999", "closed 4 1 0"},
                         {"T1", "closed 0 0 0"},
                     });
}

}  // namespace
}  // namespace stepper::limits
