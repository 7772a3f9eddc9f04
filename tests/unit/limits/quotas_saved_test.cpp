// Quotas across restarts.
#include <random>

#include <gtest/gtest.h>

#include "core/limits/quotas.h"
#include "tests/unit/limits/quotas_fixture.h"

namespace stepper::limits {
namespace {

// Another process: its steady clock began anew, and its wall clock may have been put forward or back.
class OtherClock final : public Clock {
public:
    explicit OtherClock(const ManualClock& clock, milliseconds put_forward = 0ms)
        : clock_(clock), put_forward_(put_forward) {}
    SteadyTime now() const override { return clock_.now() - 5h; }
    WallTime wall() const override { return clock_.wall() + put_forward_; }
    milliseconds uptime() const override { return clock_.uptime(); }
    std::string boot() const override { return clock_.boot(); }

private:
    const ManualClock& clock_;
    milliseconds put_forward_;
};

using SavedQuotasTest = QuotasTest;

TEST_F(SavedQuotasTest, AfterAFinalSaveExactlyTheLimitIsSent) {
    config::Limits limits = requestsPer(10, 5s);
    limits.rpd = 100;
    limits.tpm = 10'000;
    Quotas before(limits, clock_);
    for (int i = 0; i < 4; ++i) before.settle(send(before, {100, 100}), {});
    clock_.advance(1s);
    for (int i = 0; i < 2; ++i) before.settle(send(before, {100, 100}), {});
    const auto saved = before.save(true);
    EXPECT_EQ(saved.covers, 6);
    clock_.advance(1s);

    const OtherClock other(clock_);
    Quotas after(limits, other);
    ASSERT_TRUE(after.restore(saved.text));
    for (const QuotaState& s : after.state())
        EXPECT_EQ(s.used, s.unit == Unit::Requests ? 6 : 1200) << s.name;
    for (int i = 0; i < 4; ++i) {
        ASSERT_EQ(after.readyAt({}), other.now());
        after.settle(after.reserve({}), {});
    }
    EXPECT_EQ(after.readyAt({}), other.now() + 3s);
    clock_.advance(3s);
    EXPECT_EQ(used(after, 1), 6);
    EXPECT_EQ(after.sendsWithin(0ms, {}), 4);
}

TEST_F(SavedQuotasTest, WhatIsOutCountsFromTheRestart) {
    config::Limits limits = requestsPer(10, 5s);
    limits.tpd = 10'000;
    limits.tpm = 1000;
    Quotas before(limits, clock_);
    before.reserve({200, 100});
    send(before, {10, 20});
    for (const bool final : {false, true}) {
        const auto saved = before.save(final);
        EXPECT_EQ(saved.covers, 2);
        clock_.advance(1s);
        const OtherClock other(clock_);
        Quotas after(limits, other);
        ASSERT_TRUE(after.restore(saved.text));
        EXPECT_EQ(used(after, 0), 330);
        EXPECT_EQ(used(after, 1), 2);
        EXPECT_EQ(used(after, 2), 330);
        EXPECT_GE(after.state()[0].reset_in, 60s);
        EXPECT_LE(after.state()[0].reset_in, 60s + 60ms) << "a step more at most";
        EXPECT_EQ(after.state()[1].reset_in, 5s);
    }
}

TEST_F(SavedQuotasTest, TheSpareCoversPermitsToCome) {
    config::Limits limits = requestsPer(200, 5s);
    limits.rpd = 100;
    limits.tpm = 10'000;
    Quotas quotas(limits, clock_);
    Permit first = send(quotas, {10, 20});
    EXPECT_FALSE(quotas.covers(first));
    const auto saved = quotas.save(false);
    EXPECT_EQ(saved.covers, 3) << "a fiftieth of the smallest";
    EXPECT_FALSE(quotas.covers(first)) << "not durable yet";
    quotas.confirm(saved.covers);
    EXPECT_TRUE(quotas.covers(first));
    EXPECT_TRUE(quotas.covers(quotas.reserve({})));
    const Permit third = quotas.reserve({});
    EXPECT_FALSE(quotas.covers(quotas.reserve({})));
    quotas.confirm(1);
    EXPECT_TRUE(quotas.covers(third)) << "an older save that came later";
    EXPECT_EQ(quotas.save(true).covers, 4) << "no spare at the end";

    Quotas after(limits, clock_);
    ASSERT_TRUE(after.restore(saved.text));
    EXPECT_EQ(used(after, 0), 90);
    EXPECT_EQ(used(after, 1), 3);
    EXPECT_EQ(used(after, 2), 3);
    EXPECT_FALSE(after.covers(after.reserve({}))) << "numbers began anew";

    Quotas small(requestsPer(49, 5s), clock_);
    EXPECT_EQ(small.save(false).covers, 0);
    Quotas large(requestsPer(1'000'000'000'000, 5s), clock_);
    large.reserve({1'000'000'000, 0});
    EXPECT_EQ(large.save(false).covers, 1001);
    EXPECT_TRUE(large.restore(large.save(false).text));
}

TEST_F(SavedQuotasTest, MomentsAreSavedRoundedUp) {
    clock_.advance(300us);
    Quotas before(requestsPer(1, 100ms), clock_);
    send(before);
    const OtherClock other(clock_);
    Quotas after(requestsPer(1, 100ms), other);
    ASSERT_TRUE(after.restore(before.save(true).text));
    EXPECT_GE(after.readyAt({}), other.now() + 100ms);
}

TEST_F(SavedQuotasTest, ClocksThatWerePutBackOrForwardDoNoLastingHarm) {
    Quotas before(requestsPer(3, 5s), clock_);
    for (int i = 0; i < 3; ++i) send(before);
    const auto saved = before.save(true);
    for (const milliseconds put_forward :
         std::initializer_list<milliseconds>{-240h, -1h, -2s, 0s, 2s, 1h, 240h}) {
        SCOPED_TRACE(put_forward.count());
        const OtherClock other(clock_, put_forward);
        Quotas after(requestsPer(3, 5s), other);
        ASSERT_TRUE(after.restore(saved.text));
        EXPECT_EQ(after.readyAt({}), other.now() + std::clamp<milliseconds>(5s - put_forward, 0s, 5s));
    }
}

TEST_F(SavedQuotasTest, ADayIsKeptUntilItEnds) {
    Quotas before(perDay(10, {}), clock_);
    for (int i = 0; i < 7; ++i) send(before);
    const auto saved = before.save(true);
    clock_.advance(1h);
    Quotas same_day(perDay(10, {}), clock_);
    ASSERT_TRUE(same_day.restore(saved.text));
    EXPECT_EQ(sendAll(same_day), 3);
    clock_.advance(12h);
    Quotas next_day(perDay(10, {}), clock_);
    ASSERT_TRUE(next_day.restore(saved.text));
    EXPECT_EQ(sendAll(next_day), 10);
}

TEST_F(SavedQuotasTest, WindowsOfAnotherConfigurationAreLeftOut) {
    Quotas before(requestsPer(10, 5s), clock_);
    for (int i = 0; i < 7; ++i) send(before);
    const auto saved = before.save(true);
    Quotas other(requestsPer(8, 6s), clock_);
    ASSERT_TRUE(other.restore(saved.text));
    EXPECT_EQ(sendAll(other), 8);
    Quotas tokens(tokensPer(8, 5s), clock_);
    ASSERT_TRUE(tokens.restore(saved.text));
    EXPECT_EQ(used(tokens), 0);
    Quotas none({}, clock_);
    ASSERT_TRUE(none.restore(saved.text));
    ASSERT_TRUE(other.restore(none.save(false).text));
}

TEST_F(SavedQuotasTest, WhatIsNoSavedTextChangesNothing) {
    config::Limits limits = requestsPer(10, 5s);
    limits.rpd = 10;
    Quotas quotas(limits, clock_);
    const std::string window = R"({"unit":"requests","ms":5000,"sent":[1767268800000,3],"unsettled":2})";
    const std::string day = R"({"unit":"requests","day":1767225600000,"units":4})";
    const auto text = [](const std::string& windows, const std::string& days) {
        return R"({"version":1,"windows":[)" + windows + R"(],"days":[)" + days + "]}";
    };
    for (const std::string& bad :
         {std::string(), std::string("{}"), std::string("[]"), std::string("{\"version\":1}"),
          R"({"version":2,"windows":[)" + window + "],\"days\":[]}", text(window, "7"), text(window, "{}"),
          text(window + ",{}", day), text(window, R"({"unit":"requests","day":0,"units":-1})"),
          text(window, R"({"unit":"requests","day":1e300,"units":1})"),
          text(window, R"({"unit":"jobs","day":0,"units":1})"),
          text(R"({"unit":"requests","ms":5000,"sent":[1],"unsettled":2})", day),
          text(R"({"unit":"requests","ms":5000,"sent":[1,-1],"unsettled":2})", day),
          text(R"({"unit":"requests","ms":5000,"sent":[-9223372036854775808,1],"unsettled":2})", day),
          text(R"({"unit":"requests","ms":5000,"sent":["1",1],"unsettled":2})", day),
          text(R"({"unit":"requests","ms":5000,"sent":{},"unsettled":2})", day),
          text(R"({"unit":"requests","ms":5000,"sent":[],"unsettled":-2})", day),
          text(R"({"unit":"requests","ms":5000,"sent":[]})", day)}) {
        EXPECT_FALSE(quotas.restore(bad)) << bad;
        for (const QuotaState& s : quotas.state()) EXPECT_EQ(s.used, 0) << bad;
    }
    EXPECT_TRUE(quotas.restore(text(window, day)));
    EXPECT_EQ(used(quotas, 0), 5);
    EXPECT_EQ(used(quotas, 1), 4);
}

// A process that dies at any moment, having sent only what a durable save covers.
TEST_F(SavedQuotasTest, CrashesNeverMakeItMoreThanTheLimit) {
    for (unsigned seed = 0; seed < 50; ++seed) {
        std::mt19937 random(seed);
        config::Limits limits = requestsPer(100, 5s);
        std::vector<SteadyTime> seen;
        std::string durable;
        for (int lives = 0; lives < 10; ++lives) {
            Quotas quotas(limits, clock_);
            if (lives > 0) {
                ASSERT_TRUE(quotas.restore(durable));
            }
            std::vector<Permit> out;
            for (int steps = static_cast<int>(random() % 300); steps > 0; --steps) {
                clock_.advance(milliseconds(random() % 30));
                if (quotas.readyAt({}) > clock_.now()) continue;
                out.push_back(quotas.reserve({}));
                if (!quotas.covers(out.back())) {
                    const auto saved = quotas.save(false);
                    durable = saved.text;
                    quotas.confirm(saved.covers);
                }
                if (random() % 4 == 0) continue;
                quotas.sent(out.back());
                seen.push_back(clock_.now());
            }
            if (durable.empty()) durable = quotas.save(false).text;
            clock_.advance(milliseconds(random() % 3000));
        }
        for (size_t i = 100; i < seen.size(); ++i)
            ASSERT_GE(seen[i] - seen[i - 100], 5s) << "seed " << seed << ", send " << i;
        ASSERT_GT(seen.size(), 200u);
    }
}

}  // namespace
}  // namespace stepper::limits
