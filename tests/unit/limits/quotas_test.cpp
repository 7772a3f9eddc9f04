#include "core/limits/quotas.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/limits/quotas_fixture.h"

namespace stepper::limits {
namespace {

using testing::ElementsAre;

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

TEST_F(QuotasTest, WithoutLimitsEverythingIsReady) {
    Quotas quotas({}, clock_);
    EXPECT_TRUE(quotas.unlimited());
    EXPECT_EQ(send(quotas).number, 1);
    const Permit second = send(quotas, {1'000'000, 1'000'000});
    EXPECT_EQ(second.number, 2);
    EXPECT_TRUE(quotas.covers(second));
    EXPECT_TRUE(quotas.state().empty());
    EXPECT_FALSE(quotas.dayResetIn());
    EXPECT_EQ(quotas.sendsWithin(1h, {}), kForever);
}

TEST_F(QuotasTest, RequestsPerSecondAreAWholeNumberInSomeWindow) {
    struct Row {
        double rps;
        int64_t limit;
        milliseconds per;
    };
    for (const Row& row : {Row{1, 1, 1s},
                           {20, 20, 1s},
                           {0.5, 1, 2s},
                           {0.3, 1, 3334ms},
                           {0.001, 1, 1000s},
                           {2.5, 5, 2s},
                           {1.1, 11, 10s},
                           {3.3333, 33, 10s},
                           {1.25, 5, 4s}}) {
        SCOPED_TRACE(row.rps);
        config::Limits limits;
        limits.rps = row.rps;
        limits.skew = 0ms;
        Quotas quotas(limits, clock_);
        EXPECT_EQ(sendAll(quotas), row.limit);
        const milliseconds ready = readyIn(quotas);
        EXPECT_GE(ready, row.per);
        EXPECT_LE(ready, row.per + row.per / 1000);
    }
}

TEST_F(QuotasTest, AnAnswerThatBeginsSoonMakesTheMarginUnnecessary) {
    config::Limits limits = requestsPer(1, 10s);
    limits.skew = 2s;
    Quotas quotas(limits, clock_);
    const auto answeredAfter = [&](milliseconds delay) {
        Permit permit = quotas.reserve({});
        quotas.sent(permit);
        clock_.advance(delay);
        quotas.arrived(permit);
        quotas.settle(permit, {});
        const milliseconds left = readyIn(quotas);
        clock_.advance(left);
        return left + delay;
    };
    EXPECT_EQ(answeredAfter(0ms), 10s);
    EXPECT_EQ(answeredAfter(500ms), 10s + 500ms);
    EXPECT_EQ(answeredAfter(2s), 12s);
    EXPECT_EQ(answeredAfter(5s), 12s);
}

TEST_F(QuotasTest, WhatWasMovedIsGivenBackWhereItIs) {
    config::Limits limits = tokensPer(100, 10s);
    limits.skew = 2s;
    Quotas quotas(limits, clock_);
    Permit permit = quotas.reserve({80, 20});
    quotas.sent(permit);
    quotas.arrived(permit);
    quotas.settle(permit, {true, 30, 10});
    EXPECT_EQ(quotas.state().at(0).used, 40);
    Permit undone = quotas.reserve({50, 0});
    quotas.sent(undone);
    quotas.arrived(undone);
    quotas.cancel(undone);
    EXPECT_EQ(quotas.state().at(0).used, 40);
}

TEST_F(QuotasTest, TheMarginFollowsTheWindowsLength) {
    struct Row {
        milliseconds per, margin;
    };
    for (const Row& row : {Row{1s, 50ms}, {10s, 100ms}, {60s, 500ms}, {1h, 500ms}}) {
        config::Limits limits = requestsPer(1, row.per);
        limits.skew.reset();
        Quotas quotas(limits, clock_);
        send(quotas);
        EXPECT_EQ(readyIn(quotas), row.per + row.margin);
    }
    config::Limits limits = requestsPer(1, 10s);
    limits.skew = 3s;
    Quotas quotas(limits, clock_);
    send(quotas);
    EXPECT_EQ(readyIn(quotas), 13s);
}

TEST_F(QuotasTest, EveryWindowMustHaveRoom) {
    config::Limits limits;
    limits.rps = 1;
    limits.rpm = 2;
    limits.rpd = 3;
    limits.skew = 0ms;
    Quotas quotas(limits, clock_);
    send(quotas);
    EXPECT_EQ(readyIn(quotas), 1s);
    clock_.advance(1s);
    send(quotas);
    EXPECT_EQ(readyIn(quotas), 59s);
    clock_.advance(59s);
    send(quotas);
    EXPECT_EQ(readyIn(quotas), 11h + 59min + 2s) << "the next day, with its margin";
    EXPECT_EQ(quotas.dayResetIn(), 11h + 59min + 2s);
    clock_.advance(11h + 59min + 2s);
    send(quotas);
}

TEST_F(QuotasTest, ShowsItsWindows) {
    config::Limits limits;
    limits.rps = 2;
    limits.rpm = 10;
    limits.tpm = 1000;
    limits.rpd = 100;
    limits.tpd = 10'000;
    limits.windows = {{.requests = 10, .tokens = 1000, .per = 5s}};
    limits.skew = 0ms;
    Quotas quotas(limits, clock_);
    std::vector<std::string> names;
    for (const QuotaState& s : quotas.state()) {
        names.push_back(s.name);
        EXPECT_EQ(s.used, 0);
        EXPECT_EQ(s.limit, s.configured);
        EXPECT_EQ(s.more_in, 0ms);
        EXPECT_EQ(s.reset_in, 0ms);
    }
    EXPECT_THAT(names,
                ElementsAre("rps", "rpm", "tpm", "10 requests per 5s", "1000 tokens per 5s", "rpd", "tpd"));
    send(quotas, {600, 400});
    const auto states = quotas.state();
    EXPECT_EQ(states[0].used, 1);
    EXPECT_EQ(states[0].more_in, 0ms);
    EXPECT_EQ(states[0].reset_in, 1s);
    EXPECT_EQ(states[2].unit, Unit::Tokens);
    EXPECT_EQ(states[2].used, 1000);
    EXPECT_EQ(states[2].more_in, 60s);
    EXPECT_EQ(states[5].used, 1);
    EXPECT_EQ(states[5].reset_in, 12h + 2s);
    EXPECT_EQ(states[6].used, 1000);
    EXPECT_EQ(states[6].configured, 10'000);
}

TEST_F(QuotasTest, InputCountsWhenSentAndOutputWhenSettled) {
    Quotas quotas(tokensPer(1000, 10s), clock_);
    Permit permit = quotas.reserve({300, 600});
    EXPECT_EQ(used(quotas), 900);
    clock_.advance(1s);
    quotas.sent(permit);
    clock_.advance(4s);
    quotas.sent(permit);  // only the first call counts
    EXPECT_EQ(readyIn(quotas, {400, 0}), 6s) << "the input is free 10 s after it was sent";
    quotas.settle(permit, {true, 250, 500});
    EXPECT_EQ(used(quotas), 750);
    EXPECT_EQ(readyIn(quotas, {500, 0}), 6s);
    EXPECT_EQ(readyIn(quotas, {501, 0}), 10s) << "the output 10 s after the answer";
    clock_.advance(6s);
    EXPECT_EQ(used(quotas), 500);
    clock_.advance(4s);
    EXPECT_EQ(used(quotas), 0);
}

TEST_F(QuotasTest, WhatIsNotReportedStaysAsEstimated) {
    struct Row {
        Quotas::Actual actual;
        int64_t used;
    };
    for (const Row& row : {Row{{true, {}, {}}, 900},
                           {{true, 100, {}}, 700},
                           {{true, {}, 100}, 400},
                           {{true, 400, 5000}, 5400},
                           {{false, {}, {}}, 300},
                           {{false, 200, 100}, 300},
                           {{false, 200, {}}, 200},
                           {{true, -5, 2'000'000'000'000}, 900}}) {
        config::Limits limits = tokensPer(1000, 10s);
        limits.tpd = 1'000'000;
        Quotas quotas(limits, clock_);
        quotas.settle(send(quotas, {300, 600}), row.actual);
        EXPECT_EQ(used(quotas, 0), row.used);
        EXPECT_EQ(used(quotas, 1), row.used);
    }
}

TEST_F(QuotasTest, AnAnswerToWhatWasNeverSaidToBeSentCountsNow) {
    Quotas quotas(requestsPer(1, 10s), clock_);
    const Permit permit = quotas.reserve({});
    clock_.advance(5s);
    quotas.settle(permit, {});
    EXPECT_EQ(readyIn(quotas), 10s);
}

TEST_F(QuotasTest, CancelledIsAsIfItHadNotBeenReserved) {
    config::Limits limits = tokensPer(1000, 10s);
    limits.rpm = 5;
    limits.rpd = 100;
    limits.tpd = 5000;
    Quotas quotas(limits, clock_);
    const Permit unsent = quotas.reserve({300, 400});
    Permit sent = send(quotas, {100, 100});
    quotas.cancel(unsent);
    for (const auto& [window, expected] : {std::pair{0, 1}, {1, 200}, {2, 1}, {3, 200}})
        EXPECT_EQ(used(quotas, static_cast<size_t>(window)), expected) << window;
    quotas.cancel(sent);
    for (const QuotaState& s : quotas.state()) EXPECT_EQ(s.used, 0) << s.name;
}

TEST_F(QuotasTest, YesterdaysPermitsGiveNothingBackToToday) {
    Quotas quotas(perDay(10, 1000), clock_);
    const Permit yesterdays = send(quotas, {100, 500});
    const Permit also = quotas.reserve({100, 100});
    clock_.advance(13h);
    send(quotas, {400, 0});
    quotas.settle(yesterdays, {true, 50, 50});
    quotas.cancel(also);
    EXPECT_EQ(used(quotas, 0), 1);
    EXPECT_EQ(used(quotas, 1), 400);
    const Permit todays = send(quotas, {100, 500});
    quotas.settle(todays, {true, 50, 50});
    EXPECT_EQ(used(quotas, 1), 500);
}

TEST_F(QuotasTest, DaysBeginInTheProvidersZone) {
    config::Limits limits = perDay(1, {});
    limits.day_resets_in = "America/Los_Angeles";
    Quotas quotas(limits, clock_);  // 04:00 there
    send(quotas);
    EXPECT_EQ(readyIn(quotas), 20h + 2s);
    limits.skew = 10s;
    Quotas skewed(limits, clock_);
    send(skewed);
    EXPECT_EQ(readyIn(skewed), 20h + 10s);
}

TEST_F(QuotasTest, AReloadKeepsWhatWasUsedInWindowsThatStay) {
    config::Limits limits = requestsPer(10, 5s);
    limits.rpm = 20;
    limits.rpd = 30;
    Quotas quotas(limits, clock_);
    for (int i = 0; i < 4; ++i) send(quotas);
    Permit out = quotas.reserve({100, 100});

    config::Limits other = requestsPer(6, 5s);
    other.rpd = 40;
    other.tpm = 1000;
    quotas.reconfigure(other);
    const auto states = quotas.state();
    ASSERT_EQ(states.size(), 3u);
    EXPECT_EQ(states[0].name, "tpm");
    EXPECT_EQ(states[0].used, 200) << "a new window knows of what is out";
    EXPECT_EQ(states[1].limit, 6);
    EXPECT_EQ(states[1].used, 5);
    EXPECT_EQ(states[2].limit, 40);
    EXPECT_EQ(states[2].used, 5);
    quotas.settle(out, {true, 50, 50});
    EXPECT_EQ(used(quotas, 0), 100);
    EXPECT_EQ(sendAll(quotas), 1);
    other.windows.push_back({.requests = {}, .tokens = 50, .per = 1s});
    other.skew = 1s;
    quotas.reconfigure(other);
    EXPECT_EQ(used(quotas, 2), 0) << "nothing is out";
    EXPECT_EQ(readyIn(quotas), 6s) << "the new margin";
    quotas.reconfigure({});
    EXPECT_TRUE(quotas.unlimited());
}

TEST_F(QuotasTest, CountsFutureSendsOverAllWindows) {
    config::Limits limits = requestsPer(10, 5s);
    limits.rpd = 100;
    Quotas quotas(limits, clock_);
    EXPECT_EQ(quotas.sendsWithin(0ms, {}), 10);
    EXPECT_EQ(quotas.sendsWithin(25s, {}), 60);
    EXPECT_EQ(quotas.sendsWithin(1h, {}), 100);
    EXPECT_EQ(quotas.sendsWithin(24h, {}), 200);
    EXPECT_EQ(quotas.sendsWithin(48h, {500, 500}), 300);
    Quotas tokens(tokensPer(1000, 10s), clock_);
    EXPECT_EQ(tokens.sendsWithin(20s, {200, 200}), 6);
    EXPECT_EQ(tokens.sendsWithin(20s, {}), kForever);
}

TEST_F(QuotasTest, ARefusalLowersTheLimitsForAWhile) {
    config::Limits limits = requestsPer(100, 5s);
    limits.windows.push_back({.requests = 1000, .tokens = {}, .per = 24h});
    limits.rps = 1;
    limits.rpd = 1000;
    Quotas quotas(limits, clock_);
    quotas.refused();
    EXPECT_EQ(limit(quotas, 0), 1) << "never nothing";
    EXPECT_EQ(limit(quotas, 1), 70);
    EXPECT_EQ(limit(quotas, 2), 1000) << "windows of a day stay";
    EXPECT_EQ(limit(quotas, 3), 1000);
    quotas.refused();
    clock_.advance(29s);
    quotas.refused();
    EXPECT_EQ(limit(quotas, 1), 72) << "at most once per pause, and recovering";
    clock_.advance(31s);
    EXPECT_EQ(limit(quotas, 1), 75);
    clock_.advance(5min);
    EXPECT_EQ(limit(quotas, 1), 100);
    clock_.advance(1h);
    EXPECT_EQ(limit(quotas, 1), 100);
    quotas.refused();
    clock_.advance(2min);
    EXPECT_EQ(limit(quotas, 1), 80);
    quotas.refused();
    EXPECT_EQ(limit(quotas, 1), 56) << "of what it had come back to";
    for (int i = 0; i < 20; ++i) {
        clock_.advance(30s);
        quotas.refused();
    }
    EXPECT_EQ(limit(quotas, 1), 10) << "not below a tenth";
    EXPECT_EQ(sendAll(quotas), 1);

    Quotas ten(requestsPer(10, 5s), clock_);
    ten.refused();
    clock_.advance(2min);
    EXPECT_EQ(limit(ten), 8) << "whole numbers stay whole";
}

}  // namespace
}  // namespace stepper::limits
