#include "core/limits/sliding_window.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/unit/scarce_memory.h"

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;

const SteadyTime kStart{1h};

SteadyTime at(milliseconds since_start) { return kStart + since_start; }

// Sends at once if it may.
bool trySend(SlidingWindow& window, SteadyTime now, int64_t cost) {
    if (window.readyAt(now, cost) > now) return false;
    window.reserve(cost);
    window.sent(now, cost);
    return true;
}

TEST(SlidingWindow, VirtualTimeTable) {
    struct Row {
        milliseconds now;
        int64_t cost;
        milliseconds ready;  // `now`: it is sent
        int64_t used;        // afterwards
    };
    const Row rows[] = {
        {0ms, 2, 0ms, 2},           // a burst is not smoothed
        {1000ms, 2, 1000ms, 4},     //
        {1000ms, 1, 1000ms, 5},     // full
        {1000ms, 1, 10100ms, 5},    // the first two go first
        {1000ms, 3, 11100ms, 5},    // needs the second stamp too
        {10099ms, 1, 10100ms, 5},   // length and margin
        {10100ms, 3, 11100ms, 3},   // only two are free
        {10100ms, 2, 10100ms, 5},   //
        {11100ms, 9, 20200ms, 2},   // more than the limit waits for an empty window
        {20200ms, 9, 20200ms, 9},   // and goes then
        {20200ms, 0, 30300ms, 9},   // over the limit not even nothing fits
        {30300ms, 5, 30300ms, 5},   // exactly the limit
        {100000ms, 5, 100000ms, 5}  // long after
    };
    SlidingWindow window(5, 10s, 100ms);
    for (const Row& row : rows) {
        SCOPED_TRACE(testing::Message() << row.now.count() << " ms, cost " << row.cost);
        EXPECT_EQ(window.readyAt(at(row.now), row.cost), at(row.ready));
        if (row.ready == row.now) {
            window.reserve(row.cost);
            window.sent(at(row.now), row.cost);
        }
        EXPECT_EQ(window.used(at(row.now)), row.used);
    }
}

// The table of throttled's rate_test.go (5 at once, then one a second). In an exact window of 5 per 5 s,
// units return five seconds after they were used and not one a second, so rows 7 to 9 are refused here and
// later ones have less left; row 0 asks for more than the limit, which an empty window allows.
TEST(SlidingWindow, ThrottledsTable) {
    struct Row {
        milliseconds now;
        int64_t volume, remaining;
        std::optional<milliseconds> retry;
    };
    const Row rows[] = {
        {0ms, 1, 4, {}},        {0ms, 1, 3, {}},    {0ms, 1, 2, {}},
        {0ms, 1, 1, {}},        {0ms, 1, 0, {}},    {0ms, 1, 0, 5000ms},  // theirs: in a second
        {3000ms, 1, 0, 2000ms},                                           // theirs: sent
        {3100ms, 1, 0, 1900ms},                                           // theirs: sent
        {4000ms, 1, 0, 1000ms},                                           // theirs: sent
        {8000ms, 1, 4, {}},     {9500ms, 1, 3, {}},                       // theirs: 4 left
        {9500ms, 0, 3, {}},     {9500ms, 2, 1, {}},                       //
        {9500ms, 5, 1, 5000ms},                                           // theirs: in 3 s
    };
    SlidingWindow window(5, 5s, 0ms);
    for (const Row& row : rows) {
        SCOPED_TRACE(testing::Message() << row.now.count() << " ms, volume " << row.volume);
        const SteadyTime now = at(row.now);
        const SteadyTime ready = window.readyAt(now, row.volume);
        EXPECT_EQ(ready - now, row.retry.value_or(0ms));
        EXPECT_EQ(trySend(window, now, row.volume), !row.retry);
        EXPECT_EQ(window.limit() - window.used(now), row.remaining);
    }
}

TEST(SlidingWindow, AReservationCountsUntilItWasSentLongEnoughAgo) {
    SlidingWindow window(2, 10s, 0ms);
    window.reserve(2);
    EXPECT_EQ(window.used(at(60s)), 2);
    EXPECT_EQ(window.readyAt(at(60s), 1), at(70s)) << "as if it were sent now";
    EXPECT_EQ(window.emptyAt(at(60s)), at(70s));
    window.sent(at(61s), 1);
    EXPECT_EQ(window.reserved(), 1);
    EXPECT_EQ(window.readyAt(at(62s), 1), at(71s));
    window.release(1);
    EXPECT_EQ(window.readyAt(at(62s), 1), at(62s));
    EXPECT_EQ(window.emptyAt(at(62s)), at(71s));
    EXPECT_EQ(window.used(at(71s)), 0);
    EXPECT_EQ(window.emptyAt(at(71s)), at(71s));
}

TEST(SlidingWindow, SendsMayBeStampedOutOfOrder) {
    SlidingWindow window(3, 10s, 0ms);
    window.reserve(3);
    window.sent(at(5s), 1);
    window.sent(at(3s), 1);
    window.sent(at(4s), 1);
    EXPECT_EQ(window.readyAt(at(6s), 1), at(13s));
    EXPECT_EQ(window.readyAt(at(6s), 2), at(14s));
    EXPECT_EQ(window.readyAt(at(6s), 3), at(15s));
}

TEST(SlidingWindow, StampsAreRoundedUpAndFew) {
    SlidingWindow window(100'000, 1s, 0ms);
    ASSERT_TRUE(trySend(window, kStart + 1ns, 1));
    ASSERT_TRUE(trySend(window, kStart + 999us, 1));
    ASSERT_EQ(window.marks(kStart).size(), 1u);
    EXPECT_EQ(window.marks(kStart)[0].at, at(1ms));
    EXPECT_EQ(window.used(at(1001ms) - 1ns), 2);
    EXPECT_EQ(window.used(at(1001ms)), 0);
    for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(trySend(window, kStart + i * 100us, 1));
    EXPECT_LE(window.marks(at(5s)).size(), 1001u);
    EXPECT_GE(window.used(at(5s)), 9990);
}

TEST(SlidingWindow, WithoutMemoryUnitsAreStampedLaterButNotLost) {
    constexpr int kSends = 300;
    SlidingWindow scarce(1'000, 10s, 0ms), exact(1'000, 10s, 0ms);
    int refused = 0;
    for (int i = 0; i < kSends; ++i) {
        // Every third comes late.
        const SteadyTime sent = at(milliseconds{20 * i - (i % 3 == 0 && i > 0 ? 30 : 0)});
        exact.reserve(1);
        exact.sent(sent, 1);
        scarce.reserve(1);
        test::refuseAllocation(1);
        scarce.sent(sent, 1);
        refused += test::wasRefused();
        test::refuseAllocation(0);
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(scarce.reserved(), 0);
    for (milliseconds now = 20ms * kSends; now <= 10s + 20ms * kSends; now += 10ms)
        ASSERT_GE(scarce.used(at(now)), exact.used(at(now))) << now.count();
    EXPECT_EQ(scarce.used(at(10s + 20ms * kSends)), 0);
}

TEST(SlidingWindow, AdjustsWhatWasStamped) {
    SlidingWindow window(100, 10s, 0ms);
    window.reserve(60);
    window.sent(at(0s), 60);
    window.adjust(at(0s), -20);
    EXPECT_EQ(window.used(at(1s)), 40);
    window.adjust(at(0s), 70);
    EXPECT_EQ(window.used(at(1s)), 110) << "over the limit";
    EXPECT_EQ(window.readyAt(at(1s), 1), at(10s));
    window.adjust(at(0s), -1000);
    EXPECT_EQ(window.used(at(1s)), 0);
    EXPECT_TRUE(window.marks(at(1s)).empty());
    window.adjust(at(2s), -5);
    EXPECT_EQ(window.used(at(2s)), 0) << "nothing was stamped then";
    window.adjust(at(1s), 5);
    EXPECT_EQ(window.used(at(2s)), 5) << "learnt of later";
    window.adjust(at(-60s), 5);
    EXPECT_EQ(window.used(at(2s)), 5) << "too long ago to count";
}

TEST(SlidingWindow, AnotherLimitAndMarginCountAtOnce) {
    SlidingWindow window(4, 10s, 0ms);
    for (const auto t : {0s, 1s, 2s, 3s}) ASSERT_TRUE(trySend(window, at(t), 1));
    window.setLimit(2);
    EXPECT_EQ(window.readyAt(at(4s), 1), at(12s));
    window.setLimit(5);
    EXPECT_EQ(window.readyAt(at(4s), 1), at(4s));
    window.setLimit(4);
    window.setMargin(500ms);
    EXPECT_EQ(window.readyAt(at(4s), 1), at(10500ms));
}

// Greedily, with the window itself; and the last moment of them.
std::pair<int64_t, SteadyTime> simulatedSends(SlidingWindow window, SteadyTime now, SteadyTime until,
                                              int64_t each) {
    window.sent(now, window.reserved());
    SteadyTime last{};
    for (int64_t sends = 0;; ++sends) {
        now = window.readyAt(now, each);
        if (now > until) return {sends, last};
        last = now;
        window.reserve(each);
        window.sent(now, each);
    }
}

TEST(SlidingWindow, CountsFutureSendsExactly) {
    SlidingWindow window(10, 5s, 0ms);
    EXPECT_EQ(window.sendsUntil(at(0s), at(0s), 1), 10);
    EXPECT_EQ(window.sendsUntil(at(0s), at(4999ms), 1), 10);
    EXPECT_EQ(window.sendsUntil(at(0s), at(25s), 1), 60);
    EXPECT_EQ(window.sendsUntil(at(0s), at(25s), 4), 12);
    EXPECT_EQ(window.sendsUntil(at(0s), at(25s), 11), 6);
    std::mt19937 random(7);
    const auto upTo = [&random](int64_t n) { return static_cast<int64_t>(random() % (n + 1)); };
    for (int round = 0; round < 500; ++round) {
        const int64_t limit = 1 + upTo(40);
        SlidingWindow w(limit, milliseconds(1 + upTo(9'999)), milliseconds(upTo(99)));
        SteadyTime now = kStart;
        for (int64_t i = upTo(50); i > 0; --i) {
            now += std::chrono::microseconds(upTo(2'000'000));
            if (w.readyAt(now, 3) > now) continue;
            w.reserve(3);
            if (upTo(9) > 0) w.sent(now, 3);
        }
        w.setLimit(1 + upTo(40));
        const SteadyTime until = now + milliseconds(upTo(60'000));
        const int64_t each = 1 + upTo(12);
        const auto [sends, last] = simulatedSends(w, now, until, each);
        ASSERT_EQ(w.sendsUntil(now, until, each), sends) << "round " << round;
        if (sends == 0) continue;
        ASSERT_EQ(w.sendsUntil(now, last, each), sends) << "round " << round;
        ASSERT_LT(w.sendsUntil(now, last - 1ns, each), sends) << "round " << round;
    }
}

TEST(SlidingWindow, UsesEverythingTheLimitAllows) {
    std::mt19937 random(11);
    SlidingWindow window(10, 5s, 25ms);
    SteadyTime now = kStart;
    int64_t sends = 0;
    while ((now = window.readyAt(now, 1)) <= at(1000s)) {
        window.reserve(1);
        if (sends < 10) now += milliseconds(random() % 400);  // not all in one moment
        window.sent(now, 1);
        ++sends;
    }
    EXPECT_LE(sends, 2010);
    EXPECT_GE(static_cast<double>(sends), 0.98 * 2010);
}

}  // namespace
}  // namespace stepper::limits
