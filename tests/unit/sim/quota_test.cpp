#include "tools/provider-sim/quota.h"

#include <gtest/gtest.h>

#include "tests/unit/sim/raw_client.h"

namespace stepper::sim {
namespace {

using std::chrono::milliseconds;

struct QuotaTest : testing::Test {
    ManualClock clock;
    std::optional<milliseconds> ask(Quota& quota, uint64_t tokens = 1) {
        const auto wait = quota.admit(clock.now(), tokens);
        if (!wait) return std::nullopt;
        return std::chrono::ceil<milliseconds>(*wait);
    }
};

TEST_F(QuotaTest, SlidingCountsEachRequestForExactlyOneWindow) {
    Quota quota({.requests = 2, .per = milliseconds{1000}});
    EXPECT_FALSE(ask(quota));
    clock.advance(milliseconds{400});
    EXPECT_FALSE(ask(quota));
    EXPECT_EQ(ask(quota), milliseconds{600});
    clock.advance(milliseconds{599});
    EXPECT_EQ(ask(quota), milliseconds{1});
    clock.advance(milliseconds{1});
    EXPECT_FALSE(ask(quota));
    EXPECT_EQ(ask(quota), milliseconds{400});
}

TEST_F(QuotaTest, FixedStartsOverAtEveryWindow) {
    Quota quota({.requests = 2, .per = milliseconds{1000}, .window = Window::Fixed});
    EXPECT_FALSE(ask(quota));
    clock.advance(milliseconds{900});
    EXPECT_FALSE(ask(quota));
    EXPECT_EQ(ask(quota), milliseconds{100});
    clock.advance(milliseconds{100});
    EXPECT_FALSE(ask(quota));
    EXPECT_FALSE(ask(quota));
    EXPECT_EQ(ask(quota), milliseconds{1000});
}

TEST_F(QuotaTest, TokensWaitForEnoughOfThem) {
    Quota quota({.tokens = 100, .per = milliseconds{1000}});
    EXPECT_FALSE(ask(quota, 40));
    clock.advance(milliseconds{100});
    EXPECT_FALSE(ask(quota, 40));
    EXPECT_EQ(ask(quota, 50), milliseconds{900});
    EXPECT_EQ(ask(quota, 90), milliseconds{1000});
    EXPECT_FALSE(ask(quota, 20));
}

TEST_F(QuotaTest, AnAnswerIsChargedAndAnOversizedRequestIsAlwaysRefused) {
    Quota quota({.tokens = 100, .per = milliseconds{1000}});
    EXPECT_FALSE(ask(quota, 40));
    quota.charge(clock.now(), 60);
    EXPECT_EQ(ask(quota, 1), milliseconds{1000});
    clock.advance(milliseconds{1000});
    EXPECT_EQ(ask(quota, 101), milliseconds{1000});
    EXPECT_FALSE(ask(quota, 100));
}

TEST_F(QuotaTest, WhatIsLeft) {
    Quota quota({.requests = 3, .tokens = 100, .per = milliseconds{1000}});
    ask(quota, 30);
    const auto left = quota.left(clock.now());
    ASSERT_TRUE(left.requests && left.tokens);
    EXPECT_EQ(left.requests->remaining, 2u);
    EXPECT_EQ(left.tokens->remaining, 70u);
    EXPECT_EQ(left.tokens->reset, milliseconds{1000});
}

TEST_F(QuotaTest, IsEnforcedOnTheWireWithExactWaits) {
    Running sim(clock);
    sim.put("one", R"({"quota":{"requests":1,"per_ms":2500},"rate_limit_headers":true})");
    const auto body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
    const auto first = sim.call("POST", "/p/one/v1/chat/completions", body);
    EXPECT_EQ(first.status(), 200);
    EXPECT_EQ(first.header("x-ratelimit-remaining-requests"), "0");
    EXPECT_EQ(first.header("x-ratelimit-reset-requests"), "2.5s");

    const auto second = sim.call("POST", "/p/one/v1/chat/completions", body);
    EXPECT_EQ(second.status(), 429);
    EXPECT_EQ(second.header("retry-after"), "3");
    EXPECT_EQ(second.header("retry-after-ms"), "2500");
    EXPECT_NE(second.body().find("Please try again in 2.5s."), std::string::npos);

    clock.advance(milliseconds{2500});
    EXPECT_EQ(sim.call("POST", "/p/one/v1/chat/completions", body).status(), 200);
    EXPECT_EQ(sim.counters("one").by_step.at("quota"), 1u);
}

}  // namespace
}  // namespace stepper::sim
