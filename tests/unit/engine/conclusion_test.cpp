#include "core/engine/conclusion.h"

#include <gtest/gtest.h>

#include "core/engine/classify.h"
#include "tests/unit/engine/support.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = Failure::Kind;
using std::chrono::steady_clock;

class ConclusionTest : public testing::Test {
protected:
    ConclusionTest() {
        for (const char* name : {"a", "b"}) entries_.push_back(shoutEntry(name, true));
        for (const auto& entry : entries_) legs_.push_back({&entry, {}, {}});
    }
    void skip(size_t leg, std::string why) {
        auto& record = legs_[leg].records.emplace_back();
        record.provider = entries_[leg].spec.name;
        record.number = 0;
        record.skipped = std::move(why);
        if (record.skipped == "too_large")
            record.error = Error{ErrorClass::ContextTooLong, "about 8 bytes fit"};
    }
    void fail(size_t leg, ErrorClass error_class, std::string message = "said so") {
        auto& record = legs_[leg].records.emplace_back();
        record.provider = entries_[leg].spec.name;
        record.error = Error{error_class, std::move(message)};
        record.error_code = verdictOn(error_class).wire_code;
    }
    void report(size_t leg, limits::Report report) {
        auto pass = *entries_[leg].gate->tryEnter({}).pass;
        entries_[leg].gate->sent(pass);
        entries_[leg].gate->leave(pass, report);
    }
    Failure concluded() {
        return conclude({legs_, demand_, stop_, soonest_, steady_clock::now(), waits_, out_of_time_,
                         too_short_, is_job_});
    }

    std::vector<ProviderEntry> entries_;
    std::vector<Leg> legs_;
    limits::Demand demand_;
    std::optional<Error> stop_;
    SteadyTime soonest_ = SteadyTime::max();
    bool waits_ = true, out_of_time_ = false, too_short_ = false, is_job_ = false;
};

TEST_F(ConclusionTest, TooLargeForEverybodyIsNeitherALimitNorWorthAnotherTry) {
    skip(0, "too_large");
    skip(1, "too_large");
    const auto failure = concluded();
    EXPECT_EQ(failure.kind, Kind::Exhausted);
    EXPECT_EQ(failure.code, "CONTEXT_LENGTH");
    EXPECT_EQ(failure.http_status, 400);
    EXPECT_FALSE(failure.retryable);
    EXPECT_FALSE(failure.retry_after);
    EXPECT_NE(failure.message.find("b: about 8 bytes fit"), std::string::npos) << failure.message;
}

TEST_F(ConclusionTest, TooLargeForOneLeavesWhatIsTrueOfTheOther) {
    skip(0, "too_large");
    skip(1, "rate_limited");
    EXPECT_EQ(concluded().kind, Kind::AllLimited);
    legs_[1].records.clear();
    skip(1, "circuit_open");
    EXPECT_EQ(concluded().kind, Kind::NoneReady);
    legs_[1].records.clear();
    fail(1, ErrorClass::Upstream);
    EXPECT_EQ(concluded().code, "UPSTREAM_UNAVAILABLE");
    EXPECT_TRUE(concluded().retryable);
}

TEST_F(ConclusionTest, TooLargeByOurEstimateOrByTheirWordsIsOneThing) {
    skip(0, "too_large");
    fail(1, ErrorClass::ContextTooLong);
    EXPECT_EQ(concluded().code, "CONTEXT_LENGTH");
    EXPECT_FALSE(concluded().retryable);
}

TEST_F(ConclusionTest, AnOutageIsWhenSomebodyMayAnswerYet) {
    fail(0, ErrorClass::Upstream);
    skip(1, "circuit_open");
    report(1, {limits::Report::Kind::RateLimited, milliseconds{7'000}});
    EXPECT_TRUE(concluded().outage);
    ASSERT_TRUE(concluded().others_ready);
    EXPECT_NEAR(static_cast<double>(concluded().others_ready->count()), 7'000, 800);
    legs_[0].records.back().of_request = true;
    EXPECT_TRUE(concluded().outage) << "the other one may";
    legs_[1].records.back().skipped = "too_large";
    EXPECT_FALSE(concluded().outage);
    legs_[0].records.clear();
    skip(0, "disabled");
    EXPECT_FALSE(concluded().outage) << "nobody was asked";
}

TEST_F(ConclusionTest, AJobIsSpentWhenAllHaveSaidTheirLastWord) {
    is_job_ = true;
    fail(0, ErrorClass::BadResponse);
    legs_[0].records.back().of_request = legs_[0].records.back().last_word = true;
    skip(1, "answered_badly");
    EXPECT_TRUE(concluded().spent);
    EXPECT_EQ(concluded().code, "INVALID_RESPONSE");
    is_job_ = false;
    EXPECT_FALSE(concluded().spent) << "another request may be answered well";
    is_job_ = true;
    legs_[1].records.back().skipped = "circuit_open";
    EXPECT_FALSE(concluded().spent);
    legs_[0].records.clear();
    skip(0, "answered_badly");
    EXPECT_EQ(concluded().kind, Kind::NoneReady) << "the other one is waited for";
    legs_[1].records.back().skipped = "answered_badly";
    EXPECT_TRUE(concluded().spent);
    EXPECT_FALSE(concluded().retryable);
    EXPECT_NE(concluded().message.find("a has answered this badly before"), std::string::npos);
}

TEST_F(ConclusionTest, OneThatIsSwitchedOffIsNoChance) {
    entries_[1] = shoutEntry("b", false);
    fail(0, ErrorClass::InvalidRequest);
    skip(1, "disabled");
    EXPECT_FALSE(concluded().retryable);
}

TEST_F(ConclusionTest, TooLittleTimeIsToldAsSuchWhateverElseIsTrue) {
    out_of_time_ = too_short_ = true;
    skip(0, "deadline");
    skip(1, "rate_limited");
    const auto failure = concluded();
    EXPECT_EQ(failure.code, "DEADLINE");
    EXPECT_EQ(failure.http_status, 504);
    EXPECT_NE(failure.message.find("too short"), std::string::npos);
    too_short_ = false;
    EXPECT_EQ(concluded().message.find("too short"), std::string::npos);
}

TEST_F(ConclusionTest, WhoWaitedUntilTheEndFailedOfItsTime) {
    for (const char* other : {"busy", "not_yet", "circuit_open"}) {
        for (auto& leg : legs_) leg.records.clear();
        skip(0, "rate_limited");
        skip(1, other);
        out_of_time_ = false;
        const auto before = concluded();
        EXPECT_NE(before.code, "DEADLINE") << other;
        out_of_time_ = true;
        const auto failure = concluded();
        EXPECT_EQ(failure.code, "DEADLINE") << other;
        EXPECT_EQ(failure.http_status, 504);
        EXPECT_EQ(failure.kind, before.kind) << "nobody was asked: what becomes of it stays the same";
        EXPECT_EQ(failure.retry_after, before.retry_after);
    }
    waits_ = false;
    EXPECT_EQ(concluded().code, "DEADLINE") << "who does not wait had no time to begin with";
}

TEST_F(ConclusionTest, WhatAllHaveSaidIsTrueAfterTheDeadlineToo) {
    out_of_time_ = true;
    fail(0, ErrorClass::RateLimited);
    fail(1, ErrorClass::RateLimited);
    EXPECT_EQ(concluded().code, "RATE_LIMIT");
    legs_[1].records.clear();
    skip(1, "rate_limited");
    EXPECT_EQ(concluded().code, "DEADLINE") << "the other one was waited for";
}

TEST_F(ConclusionTest, WhoIsHeldBackForAnotherComesBackWhenThatEnds) {
    soonest_ = steady_clock::now() + 3s;
    while (entries_[0].gate->tryEnter({}).pass) {
    }
    skip(0, "busy");
    skip(1, "not_yet");
    const auto failure = concluded();
    EXPECT_EQ(failure.kind, Kind::AllLimited);
    EXPECT_GT(failure.retry_after, 2s);
    EXPECT_LE(failure.retry_after, 3s);
}

TEST_F(ConclusionTest, ABusyOneIsLookedAtAgainAfterAUsualCall) {
    skip(0, "busy");
    EXPECT_EQ(concluded().retry_after, 1s) << "nothing is known";
    legs_[1].records.clear();
    report(1, {limits::Report::Kind::Ok});
    EXPECT_EQ(concluded().retry_after, 250ms) << "calls of no time";
}

TEST_F(ConclusionTest, WhoIsSetAsideIsNamedWithTheReason) {
    report(0, {limits::Report::Kind::KeyRefused});
    report(1, {limits::Report::Kind::ModelMissing});
    skip(0, "disabled");
    skip(1, "disabled");
    const auto failure = concluded();
    EXPECT_EQ(failure.code, "UPSTREAM_UNAVAILABLE");
    EXPECT_EQ(failure.message,
              "No provider is available. a refused its API key. b does not know the model 'm-1'.");
    EXPECT_GT(failure.retry_after, 4min);
}

TEST_F(ConclusionTest, AQuotaThatIsUsedUpIsToldInTheProvidersWords) {
    report(0,
           {limits::Report::Kind::QuotaExhausted, 1h, {}, {}, {}, "insufficient_quota: check your billing"});
    skip(0, "rate_limited");
    const auto failure = concluded();
    EXPECT_EQ(failure.kind, Kind::AllLimited);
    EXPECT_NE(failure.message.find("a said: insufficient_quota"), std::string::npos) << failure.message;
}

}  // namespace
}  // namespace stepper::engine
