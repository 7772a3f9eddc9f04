// What Quotas make of what providers say.
#include <gtest/gtest.h>

#include "core/limits/quotas.h"
#include "tests/unit/limits/quotas_fixture.h"

namespace stepper::limits {
namespace {

class LearnTest : public QuotasTest {
protected:
    static Allowance requestsLeft(int64_t remaining, std::optional<milliseconds> reset_in) {
        return {.unit = Unit::Requests, .per = {}, .limit = {}, .remaining = remaining, .reset_in = reset_in};
    }
    static Allowance requestLimit(int64_t limit, std::optional<milliseconds> per,
                                  std::optional<milliseconds> reset_in = {}) {
        return {.unit = Unit::Requests, .per = per, .limit = limit, .remaining = {}, .reset_in = reset_in};
    }
};

TEST_F(LearnTest, WhatIsLeftHoldsUntilItsReset) {
    Quotas quotas(requestsPer(100, 5s), clock_);
    const Permit permit = send(quotas);
    quotas.learn({requestsLeft(2, 30s)}, permit);
    EXPECT_EQ(sendAll(quotas), 2);
    EXPECT_EQ(readyIn(quotas), 30s);
    clock_.advance(30s);
    EXPECT_EQ(sendAll(quotas), 100);
}

TEST_F(LearnTest, SendsAfterTheAnsweredOneAreTakenOff) {
    Quotas quotas(requestsPer(100, 5s), clock_);
    const Permit first = send(quotas);
    const Permit second = quotas.reserve({});
    const Permit third = send(quotas);
    quotas.learn({requestsLeft(5, 30s)}, first);
    quotas.cancel(second);
    EXPECT_EQ(sendAll(quotas), 4);
    quotas.learn({requestsLeft(1, 30s)}, third);
    EXPECT_EQ(readyIn(quotas), 30s) << "four are ahead of what is left";
}

TEST_F(LearnTest, TokensSentLaterAreTakenOff) {
    Quotas quotas(tokensPer(100'000, 10s), clock_);
    const Permit first = send(quotas, {100, 100});
    const Permit second = send(quotas, {200, 300});
    quotas.learn({{.unit = Unit::Tokens, .per = {}, .limit = {}, .remaining = 1000, .reset_in = 30s}}, first);
    EXPECT_EQ(readyIn(quotas, {500, 0}), 0ms);
    EXPECT_EQ(readyIn(quotas, {501, 0}), 30s);
    quotas.settle(second, {true, 200, 100});
    EXPECT_EQ(readyIn(quotas, {700, 0}), 0ms);
    EXPECT_EQ(readyIn(quotas, {701, 0}), 30s);
    quotas.settle(first, {true, 100, 0});
    EXPECT_EQ(readyIn(quotas, {701, 0}), 30s) << "the provider knew of the first";
    send(quotas, {300, 0});
    EXPECT_EQ(readyIn(quotas, {400, 0}), 0ms);
    EXPECT_EQ(readyIn(quotas, {401, 0}), 30s);
}

TEST_F(LearnTest, OneStatementPerKindHolds) {
    Quotas quotas(requestsPer(100, 5s), clock_);
    const Permit permit = send(quotas);
    quotas.learn({requestsLeft(0, 30s)}, permit);
    Allowance hourly = requestsLeft(0, 10s);
    hourly.per = 1h;
    quotas.learn({hourly}, permit);
    EXPECT_EQ(readyIn(quotas), 30s) << "about another window";
    quotas.learn({requestsLeft(5, 60s)}, permit);
    EXPECT_EQ(readyIn(quotas), 10s) << "the newer one replaced the first";
    clock_.advance(10s);
    EXPECT_EQ(sendAll(quotas), 5);
}

TEST_F(LearnTest, StrangeStatementsAreIgnoredOrCapped) {
    struct Row {
        int64_t remaining;
        std::optional<milliseconds> reset_in;
        milliseconds ready;
    };
    for (const Row& row : {Row{0, {}, 1s},
                           {3, {}, 0ms},
                           {-1, 30s, 0ms},
                           {0, -1s, 0ms},
                           {0, 0s, 0ms},
                           {2'000'000'000'000, 30s, 0ms},
                           {0, 1000h, 24h}}) {
        SCOPED_TRACE(row.remaining);
        Quotas quotas(requestsPer(100, 5s), clock_);
        const Permit permit = send(quotas);
        quotas.learn({requestsLeft(row.remaining, row.reset_in)}, permit);
        EXPECT_EQ(readyIn(quotas), row.ready);
    }
}

TEST_F(LearnTest, ALimitGoesToTheWindowItIsAbout) {
    config::Limits limits = requestsPer(50, 10s);
    limits.rpm = 100;
    limits.windows.push_back({.requests = 1000, .tokens = {}, .per = 2h});
    limits.rpd = 500;
    limits.tpm = 100;
    struct Row {
        Allowance said;
        std::vector<int64_t> in_force;
    };
    const Row rows[] = {{requestLimit(20, 1min), {20, 100, 50, 1000, 500}},
                        {requestLimit(20, 10s), {100, 100, 20, 1000, 500}},
                        {requestLimit(20, 2h), {100, 100, 50, 20, 500}},
                        {requestLimit(20, 24h), {100, 100, 50, 1000, 20}},
                        {requestLimit(20, 7s), {100, 100, 50, 1000, 500}},
                        {requestLimit(20, {}), {100, 100, 20, 1000, 500}},
                        {requestLimit(20, {}, 10s), {100, 100, 20, 1000, 500}},
                        {requestLimit(20, {}, 11s), {20, 100, 50, 1000, 500}},
                        {requestLimit(20, {}, 61s), {100, 100, 50, 1000, 500}},
                        {requestLimit(2000, 1min), {100, 100, 50, 1000, 500}},
                        {requestLimit(0, 1min), {100, 100, 50, 1000, 500}},
                        {requestLimit(-7, 1min), {100, 100, 50, 1000, 500}}};
    for (size_t i = 0; i < std::size(rows); ++i) {
        Quotas quotas(limits, clock_);
        quotas.learn({rows[i].said}, {});
        std::vector<int64_t> in_force;
        for (const QuotaState& s : quotas.state()) in_force.push_back(s.limit);
        EXPECT_EQ(in_force, rows[i].in_force) << "row " << i;
    }
}

TEST_F(LearnTest, AReloadKeepsLearntLimits) {
    config::Limits limits = requestsPer(100, 1min);
    limits.rpd = 1000;
    Quotas quotas(limits, clock_);
    quotas.learn({requestLimit(60, 1min), requestLimit(600, 24h)}, {});
    quotas.reconfigure(limits);
    EXPECT_EQ(limit(quotas, 0), 60);
    EXPECT_EQ(limit(quotas, 1), 600);
}

TEST_F(LearnTest, ALimitRisesLateAndIsForgotten) {
    Quotas quotas(requestsPer(100, 1min), clock_);
    const auto hear = [&](int64_t said) {
        quotas.learn({requestLimit(said, 1min)}, {});
        return limit(quotas);
    };
    EXPECT_EQ(hear(60), 60);
    EXPECT_EQ(hear(40), 40);
    clock_.advance(5min);
    EXPECT_EQ(hear(60), 40);
    EXPECT_EQ(hear(40), 40);
    clock_.advance(9min);
    EXPECT_EQ(hear(60), 40) << "the lower one was seen nine minutes ago";
    clock_.advance(1min);
    EXPECT_EQ(hear(60), 60);
    clock_.advance(10min - 1ms);
    EXPECT_EQ(limit(quotas), 60);
    clock_.advance(1ms);
    EXPECT_EQ(limit(quotas), 100);
    EXPECT_EQ(hear(60), 60);
    quotas.refused();
    EXPECT_EQ(limit(quotas), 42) << "of what the provider says";
}

}  // namespace
}  // namespace stepper::limits
