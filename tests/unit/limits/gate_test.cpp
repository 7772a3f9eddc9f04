#include "core/limits/gate.h"

#include <gtest/gtest.h>

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;
using Kind = Report::Kind;

class GateTest : public testing::Test {
protected:
    void attempt(Kind kind, std::optional<milliseconds> retry_after = {}) {
        ASSERT_TRUE(gate_.tryEnter());
        gate_.leave({kind, retry_after});
    }
    // How long nobody gets in, zero when somebody does now.
    milliseconds closedFor() const { return gate_.state().ready_in; }

    ManualClock clock_;
    Gate gate_{clock_, {.concurrency = 2, .consecutive_failures = 3, .open_for = 10s, .max_open_for = 40s}};
};

TEST_F(GateTest, HasAsManySlotsAsConfigured) {
    EXPECT_TRUE(gate_.tryEnter());
    EXPECT_TRUE(gate_.tryEnter());
    const auto third = gate_.tryEnter();
    EXPECT_EQ(third.denied, Denial::Busy);
    EXPECT_EQ(third.ready_at, SteadyTime::max());
    gate_.leave({Kind::Ok});
    EXPECT_TRUE(gate_.tryEnter());
}

TEST_F(GateTest, ARateLimitCoolsForWhatTheProviderSaid) {
    attempt(Kind::RateLimited, 7s);
    const auto denied = gate_.tryEnter();
    EXPECT_EQ(denied.denied, Denial::RateLimited);
    EXPECT_EQ(denied.ready_at, clock_.now() + 7s);
    clock_.advance(6999ms);
    EXPECT_FALSE(gate_.tryEnter());
    clock_.advance(1ms);
    EXPECT_TRUE(gate_.tryEnter());
}

TEST_F(GateTest, WithoutAHintTheCoolingDoublesUpToAMinute) {
    for (const auto expected : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        attempt(Kind::RateLimited);
        EXPECT_EQ(closedFor(), expected);
        clock_.advance(closedFor());
    }
    attempt(Kind::Ok);
    attempt(Kind::RateLimited);
    EXPECT_EQ(closedFor(), 2s);
}

TEST_F(GateTest, AZeroHintClosesNothingAndAnAbsurdOneIsBounded) {
    attempt(Kind::RateLimited, 0ms);
    EXPECT_TRUE(gate_.tryEnter());
    gate_.leave({Kind::RateLimited, std::chrono::hours{10'000}});
    EXPECT_EQ(closedFor(), 24h);
}

TEST_F(GateTest, AShorterHintDoesNotShortenALongerCooling) {
    ASSERT_TRUE(gate_.tryEnter());
    ASSERT_TRUE(gate_.tryEnter());
    gate_.leave({Kind::RateLimited, 30s});
    gate_.leave({Kind::RateLimited, 5s});
    EXPECT_EQ(closedFor(), 30s);
}

TEST_F(GateTest, OnlyFailuresInARowOpenTheCircuit) {
    attempt(Kind::Failed);
    attempt(Kind::Failed);
    attempt(Kind::Neutral);
    EXPECT_FALSE(gate_.state().denied);
    attempt(Kind::Ok);
    attempt(Kind::Failed);
    attempt(Kind::Failed);
    EXPECT_FALSE(gate_.state().denied);
    attempt(Kind::Failed);
    EXPECT_EQ(gate_.state().denied, Denial::CircuitOpen);
    EXPECT_EQ(closedFor(), 10s);
}

TEST_F(GateTest, AnOpenCircuitStaysLongerEachTimeItsProbeFails) {
    for (int i = 0; i < 2; ++i) attempt(Kind::Failed);
    for (const auto expected : {10s, 20s, 40s, 40s}) {
        attempt(Kind::Failed);
        EXPECT_EQ(closedFor(), expected);
        clock_.advance(closedFor());
    }
    attempt(Kind::Ok);
    attempt(Kind::Failed);
    EXPECT_FALSE(gate_.state().denied);
}

TEST_F(GateTest, ARetryAfterOnAFailureIsObeyedAtOnce) {
    attempt(Kind::Failed, 5s);
    EXPECT_EQ(gate_.state().denied, Denial::CircuitOpen);
    EXPECT_EQ(closedFor(), 5s);
}

TEST_F(GateTest, NothingNeutralEverClosesIt) {
    for (int i = 0; i < 100; ++i) attempt(Kind::Neutral);
    EXPECT_FALSE(gate_.state().denied);
}

TEST_F(GateTest, ARefusedKeyPausesForLongerEachTimeUntilAReload) {
    attempt(Kind::KeyRefused);
    EXPECT_EQ(gate_.state().denied, Denial::Disabled);
    EXPECT_EQ(closedFor(), 5min);
    clock_.advance(5min);
    attempt(Kind::KeyRefused);
    EXPECT_EQ(closedFor(), 10min);
    gate_.reconfigure({.concurrency = 1});
    EXPECT_TRUE(gate_.tryEnter());
    EXPECT_EQ(gate_.tryEnter().denied, Denial::Busy);
}

TEST_F(GateTest, AReloadKeepsARateLimit) {
    attempt(Kind::RateLimited, 30s);
    gate_.reconfigure({});
    EXPECT_EQ(gate_.state().denied, Denial::RateLimited);
}

}  // namespace
}  // namespace stepper::limits
