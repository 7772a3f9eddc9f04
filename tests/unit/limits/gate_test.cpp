// How slots, quotas, cooldowns, refused keys and the breaker work together. Each has tests of its own.
#include "core/limits/gate.h"

#include <gtest/gtest.h>

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;
using Kind = Report::Kind;

class GateTest : public testing::Test {
protected:
    static GateOptions options(int concurrency = 2) {
        GateOptions out;
        out.concurrency = concurrency;
        out.breaker = {.window = 60s,
                       .min_calls = 10,
                       .failure_rate = 0.5,
                       .consecutive = 3,
                       .open_for = 10s,
                       .max_open_for = 40s,
                       .probes = 2,
                       .probe_lease = 30s};
        return out;
    }
    static GateOptions limited(int64_t requests, milliseconds per) {
        auto out = options(100);
        out.limits.windows = {{requests, {}, per}};
        out.limits.skew = 0ms;
        return out;
    }

    Pass enter() {
        auto entry = gate_.tryEnter({});
        EXPECT_TRUE(entry.pass);
        return entry.pass.value_or(Pass{});
    }
    bool attempt(Kind kind, std::optional<milliseconds> retry_after = {}) {
        auto pass = enter();
        gate_.sent(pass);
        return gate_.leave(pass, {kind, retry_after});
    }
    std::optional<Denial> denied() { return gate_.look({}).denied; }
    // How long nobody gets in, zero when somebody does now.
    milliseconds closedFor() { return gate_.state().ready_in; }

    ManualClock clock_;
    double chance_ = 0.5;  // no jitter in the breaker, half of the most after a 429
    Gate gate_{clock_, options(), [this] { return chance_; }};
};

TEST_F(GateTest, HasAsManySlotsAsConfigured) {
    const auto first = enter();
    enter();
    const auto third = gate_.tryEnter({});
    EXPECT_FALSE(third.pass);
    EXPECT_EQ(third.readiness.denied, Denial::Busy);
    EXPECT_EQ(third.readiness.at, SteadyTime::max());
    gate_.leave(first, {Kind::Ok});
    EXPECT_TRUE(gate_.tryEnter({}).pass);
}

TEST_F(GateTest, A429CoolsForWhatTheProviderSaid) {
    attempt(Kind::RateLimited, 7s);
    const auto ready = gate_.look({});
    EXPECT_EQ(ready.denied, Denial::RateLimited);
    EXPECT_EQ(ready.at, clock_.now() + 7s);
    clock_.advance(6999ms);
    EXPECT_EQ(denied(), Denial::RateLimited);
    clock_.advance(1ms);
    EXPECT_FALSE(denied());
}

TEST_F(GateTest, WithoutAHintTheCoolingGrowsUpToAMinuteWithFullJitter) {
    for (const auto most : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        attempt(Kind::RateLimited);
        EXPECT_EQ(closedFor(), most / 2.0);
        clock_.advance(closedFor());
    }
    attempt(Kind::Ok);
    chance_ = 0;
    attempt(Kind::RateLimited);
    EXPECT_EQ(closedFor(), 250ms);
}

TEST_F(GateTest, AZeroHintMeansSoonAndAnAbsurdOneIsBounded) {
    attempt(Kind::RateLimited, 0ms);
    EXPECT_EQ(closedFor(), 250ms);
    clock_.advance(250ms);
    attempt(Kind::RateLimited, std::chrono::hours{10'000});
    EXPECT_EQ(closedFor(), 24h);
}

TEST_F(GateTest, AShorterHintDoesNotShortenALongerCooling) {
    const auto first = enter(), second = enter();
    gate_.leave(first, {Kind::RateLimited, 30s});
    gate_.leave(second, {Kind::RateLimited, 5s});
    EXPECT_EQ(closedFor(), 30s);
}

TEST_F(GateTest, AnExhaustedQuotaComesBackWithTheDayOrAfterGrowingPauses) {
    attempt(Kind::QuotaExhausted);
    EXPECT_EQ(closedFor(), 10min);
    clock_.advance(10min);
    attempt(Kind::QuotaExhausted);
    EXPECT_EQ(closedFor(), 20min);
    clock_.advance(20min);
    attempt(Kind::QuotaExhausted, 1h);
    EXPECT_EQ(closedFor(), 1h);
    clock_.advance(1h);

    auto daily = options();
    daily.limits.rpd = 100;
    gate_.reconfigure(daily);
    attempt(Kind::QuotaExhausted);
    // The clock began at midnight UTC.
    EXPECT_NEAR(static_cast<double>(closedFor().count()),
                static_cast<double>(milliseconds(24h - 90min).count()), 5'000);
}

TEST_F(GateTest, UnreachableInARowOpensTheCircuitAndItsProbesCloseIt) {
    for (int i = 0; i < 2; ++i) attempt(Kind::Unreachable);
    attempt(Kind::Neutral);
    EXPECT_FALSE(denied());
    attempt(Kind::Unreachable);
    EXPECT_EQ(denied(), Denial::CircuitOpen);
    EXPECT_EQ(closedFor(), 10s);
    EXPECT_EQ(gate_.state().failures_in_row, 3);
    clock_.advance(10s);
    const auto probe = enter();
    EXPECT_EQ(denied(), Denial::CircuitOpen);
    gate_.leave(probe, {Kind::Ok});
    attempt(Kind::Ok);
    enter();
    EXPECT_FALSE(denied());
}

TEST_F(GateTest, RefusalsOfOurOwnMakingNeverOpenIt) {
    for (const auto kind : {Kind::Neutral, Kind::RateLimited, Kind::QuotaExhausted, Kind::KeyRefused})
        for (int i = 0; i < 30; ++i) {
            attempt(kind, 1s);
            clock_.advance(24h);
            EXPECT_EQ(gate_.state().breaker, Breaker::State::Closed);
            EXPECT_FALSE(denied());
        }
}

TEST_F(GateTest, ARetryAfterOnAFailureIsObeyedAtOnceWithinReason) {
    attempt(Kind::Failed, 5s);
    EXPECT_EQ(denied(), Denial::CircuitOpen);
    EXPECT_EQ(closedFor(), 5s);
    clock_.advance(5s);
    attempt(Kind::Failed, 24h);
    EXPECT_EQ(closedFor(), 10min);
}

TEST_F(GateTest, ARefusedKeyIsNewsOnceAndPausesForLongerUntilThereIsAnother) {
    EXPECT_TRUE(attempt(Kind::KeyRefused));
    EXPECT_EQ(denied(), Denial::Disabled);
    EXPECT_EQ(closedFor(), 5min);
    EXPECT_TRUE(gate_.state().key_refused);
    clock_.advance(5min);
    EXPECT_FALSE(attempt(Kind::KeyRefused));
    EXPECT_EQ(closedFor(), 10min);
    gate_.reconfigure(options());
    EXPECT_EQ(denied(), Denial::Disabled);
    auto other_key = options();
    other_key.key_digest = "other";
    gate_.reconfigure(other_key);
    EXPECT_FALSE(denied());
    attempt(Kind::Ok);
    EXPECT_TRUE(attempt(Kind::KeyRefused));
}

TEST_F(GateTest, AReloadKeepsARateLimitEvenWithAnotherKey) {
    attempt(Kind::RateLimited, 30s);
    auto other_key = options();
    other_key.key_digest = "other";
    gate_.reconfigure(other_key);
    EXPECT_EQ(denied(), Denial::RateLimited);
}

TEST_F(GateTest, AQuotaIsSpentByWhatWasSentOnly) {
    gate_.reconfigure(limited(2, 10s));
    auto sent = enter();
    gate_.sent(sent);
    const auto never_left = enter();
    EXPECT_EQ(denied(), Denial::RateLimited);
    gate_.leave(never_left, {Kind::Unreachable});
    EXPECT_FALSE(denied());
    gate_.leave(sent, {Kind::Failed});
    enter();
    EXPECT_EQ(denied(), Denial::RateLimited);
}

TEST_F(GateTest, ADeniedRequestTakesNothing) {
    gate_.reconfigure(limited(1, 10s));
    enter();
    const int before = gate_.state().in_flight;
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(gate_.tryEnter({}).pass);
    EXPECT_EQ(gate_.state().in_flight, before);
    EXPECT_EQ(gate_.state().quotas.at(0).used, 1);
}

TEST_F(GateTest, WhatAnAnswerSaysIsLeftHoldsTheNextOnesBack) {
    gate_.reconfigure(limited(100, 60s));
    auto pass = enter();
    gate_.sent(pass);
    gate_.hear(pass, {{.unit = Unit::Requests, .per = {}, .limit = 100, .remaining = 1, .reset_in = 5s}});
    gate_.leave(pass, {Kind::Ok});
    attempt(Kind::Ok);
    EXPECT_EQ(denied(), Denial::RateLimited);
    EXPECT_EQ(closedFor(), 5s);
    clock_.advance(5s);
    EXPECT_FALSE(denied());
}

TEST_F(GateTest, RoomIsTheLeastOfSlotsAndQuotas) {
    EXPECT_EQ(gate_.room(100).now, 2);
    gate_.reconfigure(limited(5, 10s));
    EXPECT_EQ(gate_.room(100).now, 5);
    EXPECT_EQ(gate_.room(3).now, 3);
    for (int i = 0; i < 5; ++i) attempt(Kind::Ok);
    EXPECT_EQ(gate_.room(100).now, 0);
    EXPECT_EQ(gate_.room(100).more_at, gate_.look({}).at);
    EXPECT_GT(gate_.look({}).at, clock_.now());
}

TEST_F(GateTest, LatencyIsThatOfAnswersAndIsForgotten) {
    EXPECT_FALSE(gate_.p50());
    for (const auto took : {100ms, 200ms, 900ms}) {
        auto pass = enter();
        clock_.advance(took);
        gate_.leave(pass, {Kind::Ok});
    }
    auto failed = enter();
    clock_.advance(5s);
    gate_.leave(failed, {Kind::Failed});
    EXPECT_EQ(gate_.p50(), 200ms);
    EXPECT_EQ(gate_.state().p95, 900ms);
    clock_.advance(16min);
    EXPECT_FALSE(gate_.p50());
}

TEST_F(GateTest, TheForecastDoesNotCountOnWhoOnlyFails) {
    attempt(Kind::Failed);
    EXPECT_EQ(gate_.sendsWithin(1h), 0);
    attempt(Kind::Ok);
    EXPECT_GT(gate_.sendsWithin(1h), 0);
    attempt(Kind::Failed);
    EXPECT_GT(gate_.sendsWithin(1h), 0);
}

TEST_F(GateTest, TheForecastCountsWindowsSlotsAndPauses) {
    gate_.reconfigure(limited(5, 10s));
    EXPECT_EQ(gate_.sendsWithin(0ms), 5);
    EXPECT_EQ(gate_.sendsWithin(25s), 15);
    attempt(Kind::RateLimited, 15s);
    EXPECT_EQ(gate_.sendsWithin(14s), 0);
    EXPECT_GT(gate_.sendsWithin(60s), 0);
}

}  // namespace
}  // namespace stepper::limits
