// How slots, quotas, cooldowns, refused keys and the breaker work together. Each has tests of its own.
#include "core/limits/gate.h"

#include <gtest/gtest.h>

#include "tests/unit/scarce_memory.h"

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
    std::optional<SetAside> attempt(Kind kind, std::optional<milliseconds> retry_after = {}) {
        auto pass = enter();
        gate_.sent(pass);
        return gate_.leave(pass, {kind, retry_after}).set_aside;
    }
    std::optional<Denial> denied() { return gate_.look({}).denied; }
    // How long nobody gets in, zero when somebody does now.
    milliseconds closedFor() { return gate_.state().ready_in; }

    ManualClock clock_;
    double chance_ = 0.5;  // no jitter in the breaker, half of the most after a 429
    Gate gate_{clock_, options(), [this] { return chance_; }};
};

TEST_F(GateTest, ALeaveWithoutMemoryLeavesNothingReserved) {
    GateOptions options = GateTest::options(1'000);
    options.limits.windows = {{1'000, {}, 10s}, {{}, 1'000'000, 20s}};
    Gate gate(clock_, options, [] { return 0.5; });
    const Report failed{Kind::Failed, {}, 10, 10};
    int refused = 0;
    for (int i = 0; i < 300; ++i) {
        auto entry = gate.tryEnter({100, {}});
        if (!entry.pass) break;
        test::refuseAllocation(1);
        gate.sent(*entry.pass);
        refused += test::wasRefused();
        test::refuseAllocation(1);
        gate.leave(*entry.pass, failed);
        refused += test::wasRefused();
        test::refuseAllocation(0);
        if (gate.state().breaker == Breaker::State::Open) clock_.advance(1min);
        clock_.advance(20ms);
    }
    EXPECT_GT(refused, 0);
    clock_.advance(1min);
    EXPECT_EQ(gate.state().in_flight, 0);
    for (const auto& quota : gate.state().quotas) EXPECT_EQ(quota.used, 0) << quota.name;
}

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
    EXPECT_EQ(gate_.state().set_aside, SetAside::KeyRefused);
    clock_.advance(5min);
    EXPECT_FALSE(attempt(Kind::KeyRefused));
    EXPECT_EQ(closedFor(), 10min);
    gate_.reconfigure(options());
    EXPECT_EQ(denied(), Denial::Disabled);
    auto other_key = options();
    other_key.targets = {"other"};
    gate_.reconfigure(other_key);
    EXPECT_FALSE(denied());
    attempt(Kind::Ok);
    EXPECT_TRUE(attempt(Kind::KeyRefused));
}

// litellm#36896: asked again and again, a 404 takes the whole pool along; deltallm#247: who was set aside has
// to come back by itself.
TEST_F(GateTest, AModelThatIsMissingIsSetAsideLikeARefusedKey) {
    EXPECT_EQ(attempt(Kind::ModelMissing), SetAside::ModelMissing);
    EXPECT_EQ(denied(), Denial::Disabled);
    EXPECT_EQ(gate_.state().set_aside, SetAside::ModelMissing);
    EXPECT_TRUE(gate_.room(10).set_aside);
    EXPECT_EQ(closedFor(), 5min);
    clock_.advance(5min);
    EXPECT_FALSE(attempt(Kind::ModelMissing)) << "told once";
    EXPECT_EQ(closedFor(), 10min);
    auto other_model = options();
    other_model.targets = {"other"};
    gate_.reconfigure(other_model);
    EXPECT_FALSE(denied());
    EXPECT_FALSE(gate_.state().set_aside);
    EXPECT_EQ(attempt(Kind::ModelMissing), SetAside::ModelMissing) << "of another model it is news again";
}

TEST_F(GateTest, CallsThatAreRefusedTogetherCountOnce) {
    const auto first = enter(), second = enter();
    EXPECT_EQ(gate_.leave(first, {Kind::ModelMissing}).set_aside, SetAside::ModelMissing);
    EXPECT_FALSE(gate_.leave(second, {Kind::ModelMissing}).set_aside);
    EXPECT_EQ(closedFor(), 5min);
}

TEST_F(GateTest, ARefusedKeyAfterAMissingModelIsNewsOfItsOwn) {
    attempt(Kind::ModelMissing);
    clock_.advance(5min);
    EXPECT_EQ(attempt(Kind::KeyRefused), SetAside::KeyRefused);
    clock_.advance(10min);
    attempt(Kind::Ok);
    EXPECT_FALSE(gate_.state().set_aside);
}

TEST_F(GateTest, AReloadKeepsARateLimitEvenWithAnotherKey) {
    attempt(Kind::RateLimited, 30s);
    auto other_key = options();
    other_key.targets = {"other"};
    gate_.reconfigure(other_key);
    EXPECT_EQ(denied(), Denial::RateLimited);
}

TEST_F(GateTest, AUsedUpQuotaIsThatOfItsKey) {
    attempt(Kind::QuotaExhausted, 1h);
    gate_.reconfigure(options());
    EXPECT_EQ(denied(), Denial::RateLimited);
    auto other_key = options();
    other_key.targets = {"other"};
    gate_.reconfigure(other_key);
    EXPECT_FALSE(denied());
    EXPECT_EQ(gate_.state().quota_words, "");
}

TEST_F(GateTest, FailuresTooSeldomToOpenTheCircuitAreSeenAllTheSame) {
    for (int i = 0; i < 2; ++i, clock_.advance(2min)) attempt(Kind::Failed);
    EXPECT_FALSE(gate_.state().only_fails);
    attempt(Kind::Failed);
    EXPECT_TRUE(gate_.state().only_fails);
    EXPECT_FALSE(denied());
    attempt(Kind::Ok);
    EXPECT_FALSE(gate_.state().only_fails);
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

class GateSizes : public GateTest {
protected:
    static GateOptions tokens(int64_t limit) {
        auto out = options(100);
        out.limits.windows = {{{}, limit, 60s}};
        out.limits.skew = 0ms;
        return out;
    }
    Readiness of(uint64_t bytes, std::optional<int64_t> max_tokens = 0) {
        return gate_.look({bytes, max_tokens});
    }
    void refuse(std::optional<int64_t> most_tokens) {
        auto pass = enter();
        gate_.sent(pass);
        gate_.leave(pass, {Kind::TooLarge, {}, {}, {}, most_tokens});
    }
};

// golang/go#16854: more than a limiter can ever hold is an error, not a wait. freellmapi#254: a prompt of 20
// 449 tokens under 8 000 a minute can never be sent.
TEST_F(GateSizes, WhatNoWindowCanEverHoldIsTooLarge) {
    gate_.reconfigure(tokens(8'000));
    EXPECT_EQ(of(4 * 20'449).denied, Denial::TooLarge);
    EXPECT_EQ(of(4 * 20'449).at, SteadyTime::max());
    EXPECT_FALSE(gate_.tryEnter({4 * 20'449, 0}).pass);
    EXPECT_FALSE(of(4 * 2'000).denied);
    gate_.reconfigure(tokens(30'000));
    EXPECT_FALSE(of(4 * 20'449).denied);
}

TEST_F(GateSizes, TheNarrowestWindowCountsAlsoADays) {
    auto daily = tokens(30'000);
    daily.limits.tpd = 10'000;
    gate_.reconfigure(daily);
    EXPECT_EQ(of(4 * 20'000).denied, Denial::TooLarge);
}

// Mesh-LLM/mesh-llm#1350: a generous max_tokens is a ceiling, not what the request will take.
TEST_F(GateSizes, TheCeilingOfTheAnswerMakesNothingTooLarge) {
    gate_.reconfigure(tokens(8'000));
    EXPECT_FALSE(of(400, 65'536).denied);
}

// ls1intum/edutelligence#811: an estimate on the high side refuses what would have fitted.
TEST_F(GateSizes, WhatDenseTextsTaughtRefusesNoOther) {
    gate_.reconfigure(tokens(30'000));
    // One short text, most of whose tokens are its envelope's.
    auto pass = *gate_.tryEnter({64, 0}).pass;
    gate_.sent(pass);
    gate_.leave(pass, {Kind::Ok, {}, 46, 1});
    EXPECT_NE(of(100'000).denied, Denial::TooLarge);
}

TEST_F(GateSizes, InDoubtTheProviderIsAsked) {
    gate_.reconfigure(tokens(8'000));
    EXPECT_NE(of(4 * 7'900).denied, Denial::TooLarge);
    // Texts of which ten bytes are a token.
    for (int i = 0; i < 20; ++i) {
        clock_.advance(2min);
        auto pass = *gate_.tryEnter({1'000, 0}).pass;
        gate_.sent(pass);
        gate_.leave(pass, {Kind::Ok, {}, 100, 1});
    }
    clock_.advance(2min);
    EXPECT_NE(of(79'000).denied, Denial::TooLarge);
    EXPECT_EQ(of(81'000).denied, Denial::TooLarge);
}

TEST_F(GateSizes, ALimitThatIsLoweredForAWhileMakesNothingTooLarge) {
    gate_.reconfigure(tokens(8'000));
    attempt(Kind::RateLimited, 1s);
    clock_.advance(1s);
    EXPECT_EQ(of(4 * 7'000).denied, Denial::RateLimited);
}

TEST_F(GateSizes, WhatTheProviderSaidOfSizesIsKept) {
    EXPECT_FALSE(of(1'000'000).denied);
    refuse(30'000);
    EXPECT_EQ(of(4 * 31'000).denied, Denial::TooLarge);
    EXPECT_FALSE(of(4 * 1'000).denied) << "small ones go on";
    EXPECT_EQ(gate_.state().most_tokens, 30'000);
    clock_.advance(1h);
    EXPECT_FALSE(of(4 * 31'000).denied) << "limits change: one finds out";
}

TEST_F(GateSizes, ALargerAnswerOrAnotherModelLiftsWhatWasSaid) {
    refuse(1'000);
    auto pass = *gate_.tryEnter({3'900, 0}).pass;
    gate_.sent(pass);
    gate_.leave(pass, {Kind::Ok, {}, 1'001, 1});
    EXPECT_FALSE(gate_.state().most_tokens);
    refuse(1'000);
    auto other_model = options();
    other_model.targets = {"other"};
    gate_.reconfigure(other_model);
    EXPECT_FALSE(of(1'000'000).denied);
}

TEST_F(GateSizes, ARefusalWithoutASoundNumberClosesNothing) {
    for (const auto said :
         {std::optional<int64_t>{}, std::optional<int64_t>{0}, std::optional<int64_t>{-5}}) {
        refuse(said);
        EXPECT_FALSE(of(1'000'000).denied);
    }
}

TEST_F(GateSizes, TooLargeIsToldEvenWhileNobodyGetsIn) {
    gate_.reconfigure(tokens(8'000));
    attempt(Kind::RateLimited, 30s);
    EXPECT_EQ(of(4 * 20'000).denied, Denial::TooLarge);
    EXPECT_EQ(of(4).denied, Denial::RateLimited);
    EXPECT_EQ(gate_.state().denied, Denial::RateLimited);
}

TEST_F(GateSizes, TokensThatAnAnswerMayNotNeedAreHopedFor) {
    gate_.reconfigure(tokens(1'000));
    auto pass = *gate_.tryEnter({400, {}}).pass;  // 120 tokens, and 512 for the answer
    gate_.sent(pass);
    EXPECT_EQ(of(400, {}).denied, Denial::RateLimited);
    EXPECT_TRUE(of(400, {}).leave_helps);
    EXPECT_FALSE(of(3'600, {}).leave_helps) << "more than all that may come back";
    gate_.leave(pass, {Kind::Neutral});
    EXPECT_FALSE(of(400, {}).denied);
}

TEST_F(GateSizes, NoAnswerGivesBackARequestsPlace) {
    gate_.reconfigure(limited(1, 10s));
    auto pass = *gate_.tryEnter({400, {}}).pass;
    gate_.sent(pass);
    EXPECT_FALSE(of(0).leave_helps);
}

TEST_F(GateTest, TheWordsOfAnExhaustedQuotaLastAsLongAsItsPause) {
    auto pass = enter();
    gate_.sent(pass);
    gate_.leave(pass, {Kind::QuotaExhausted, 1h, {}, {}, {}, "check your plan and billing details"});
    EXPECT_EQ(gate_.state().quota_words, "check your plan and billing details");
    clock_.advance(1h);
    EXPECT_EQ(gate_.state().quota_words, "");
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

// What the log tells of a circuit, and when.
TEST_F(GateTest, NewsAreThatACircuitOpensReopensAndCloses) {
    using State = Breaker::State;
    const auto leave = [&](Kind kind) {
        auto pass = enter();
        gate_.sent(pass);
        return gate_.leave(pass, {kind});
    };
    Gate::News opened;
    int failures = 0;
    for (; !opened.any() && failures < 10; ++failures) opened = leave(Kind::Unreachable);
    EXPECT_EQ(opened.circuit, State::Open);
    EXPECT_FALSE(opened.reopened);
    EXPECT_EQ(opened.counts.failed, failures);
    EXPECT_GT(opened.open_for.count(), 0);
    clock_.advance(opened.open_for);
    const auto again = leave(Kind::Unreachable);
    EXPECT_EQ(again.circuit, State::Open);
    EXPECT_TRUE(again.reopened);
    EXPECT_GT(again.open_for, opened.open_for);
    clock_.advance(again.open_for);
    EXPECT_FALSE(leave(Kind::Ok).any()) << "one good answer of two";
    EXPECT_EQ(leave(Kind::Ok).circuit, State::Closed);
    EXPECT_FALSE(leave(Kind::Ok).any());
}

}  // namespace
}  // namespace stepper::limits
