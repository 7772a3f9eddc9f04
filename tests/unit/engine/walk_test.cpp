// What a walk makes of every way a try can fail, and of everybody it passes over. Time stands still unless a
// test moves it.
#include "core/engine/walk.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/support.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = Failure::Kind;
using Then = Walk::Then;

class WalkTest : public testing::Test {
protected:
    WalkTest() {
        for (const char* name : {"a", "b"}) add(name);
    }
    ProviderEntry& add(const std::string& name, bool enabled = true, limits::GateOptions options = {}) {
        auto& entry = *entries_.emplace_back(std::make_unique<ProviderEntry>(shoutEntry(name, enabled)));
        entry.gate = std::make_shared<limits::Gate>(clock_, std::move(options), [] { return 0.5; });
        return entry;
    }
    void limit(size_t i, limits::GateOptions options) {
        entries_[i]->gate = std::make_shared<limits::Gate>(clock_, std::move(options), [] { return 0.5; });
    }
    static limits::GateOptions rpm(int64_t most) {
        limits::GateOptions out;
        out.limits.rpm = most;
        return out;
    }
    static limits::GateOptions tpm(int64_t most) {
        limits::GateOptions out;
        out.limits.tpm = most;
        return out;
    }
    static limits::GateOptions oneAtATime() {
        limits::GateOptions out;
        out.concurrency = 1;
        return out;
    }
    Walk walk() {
        std::vector<const ProviderEntry*> plan;
        for (const auto& entry : entries_) plan.push_back(entry.get());
        return Walk(plan, request_, demand_, options_, deadline_, clock_.now(), [] { return 0.5; });
    }
    Then fail(Walk& walk, size_t leg, Trouble trouble, milliseconds took = 5ms) {
        walk.begin(leg);
        return walk.failed(leg, trouble, took, clock_.now());
    }
    static Trouble trouble(ErrorClass c) { return {{c, "said so"}}; }
    // A walk whose only provider that is there failed so.
    Failure concludedAfter(Trouble trouble) {
        entries_.resize(1);
        Walk w = walk();
        fail(w, 0, std::move(trouble));
        w.passOverRest(clock_.now());
        return w.conclusion(clock_.now());
    }
    void report(size_t i, limits::Report::Kind kind, int times = 1) {
        for (int n = 0; n < times; ++n) {
            auto entry = entries_[i]->gate->tryEnter({});
            ASSERT_TRUE(entry.pass);
            entries_[i]->gate->sent(*entry.pass);
            entries_[i]->gate->leave(*entry.pass, {kind});
        }
    }
    // What whoever was not asked was passed over for, in order.
    std::vector<std::string> reasons(Walk& w) {
        std::vector<std::string> out;
        for (const auto& record : w.takeRecords()) out.push_back(record.skipped);
        return out;
    }

    ManualClock clock_;
    std::vector<std::unique_ptr<ProviderEntry>> entries_;
    GenerateRequest request_;
    limits::Demand demand_;
    RunOptions options_;
    SteadyTime deadline_ = clock_.now() + 60s;
};
using Reasons = std::vector<std::string>;

struct Row {
    ErrorClass error_class;
    Then then;
    bool of_request, last_word;  // of the record
    Kind kind;                   // and what it comes to where nobody else is
    const char* code;
    int status;
    bool retryable, outage;
};

class EveryClassTest : public WalkTest, public testing::WithParamInterface<Row> {};

TEST_P(EveryClassTest, IsTakenForWhatItIs) {
    const Row& row = GetParam();
    Walk w = walk();
    EXPECT_EQ(fail(w, 0, trouble(row.error_class)), row.then);
    EXPECT_EQ(w.goesOn(clock_.now()), row.then != Then::Over);
    const AttemptRecord& record = w.leg(0).records.back();
    EXPECT_EQ(record.number, 1);
    EXPECT_EQ(record.of_request, row.of_request);
    EXPECT_EQ(record.last_word, row.last_word);
    EXPECT_EQ(record.error->error_class, row.error_class);
    EXPECT_EQ(record.duration, 5ms);

    const Failure failure = concludedAfter(trouble(row.error_class));
    EXPECT_EQ(failure.kind, row.kind);
    EXPECT_EQ(failure.code, row.code);
    EXPECT_EQ(failure.http_status, row.status);
    EXPECT_EQ(failure.retryable, row.retryable);
    EXPECT_EQ(failure.outage, row.outage);
}

using enum ErrorClass;
constexpr bool T = true, F = false;
INSTANTIATE_TEST_SUITE_P(
    Table, EveryClassTest,
    testing::Values(Row{InvalidRequest, Then::Next, T, T, Kind::Exhausted, "BAD_REQUEST", 400, F, F},
                    Row{ContextTooLong, Then::Next, T, T, Kind::Exhausted, "CONTEXT_LENGTH", 400, F, F},
                    Row{ContentBlocked, Then::Over, T, T, Kind::Stopped, "CONTENT_FILTERED", 422, F, F},
                    Row{Auth, Then::Next, F, F, Kind::Exhausted, "AUTH", 502, F, F},
                    Row{ModelNotFound, Then::Next, F, F, Kind::Exhausted, "BAD_REQUEST", 502, F, F},
                    Row{RateLimited, Then::Next, F, F, Kind::AllLimited, "RATE_LIMIT", 429, T, F},
                    Row{Quota, Then::Next, F, F, Kind::AllLimited, "RATE_LIMIT", 429, T, F},
                    Row{Overloaded, Then::Next, F, F, Kind::Exhausted, "UPSTREAM_UNAVAILABLE", 503, T, T},
                    Row{Upstream, Then::Next, F, F, Kind::Exhausted, "UPSTREAM_UNAVAILABLE", 502, T, T},
                    Row{Transport, Then::QuickRetry, F, F, Kind::Exhausted, "UPSTREAM_UNAVAILABLE", 502, T,
                        T},
                    Row{Timeout, Then::Next, F, F, Kind::Exhausted, "TIMEOUT", 504, T, T},
                    Row{BadResponse, Then::Next, F, F, Kind::Exhausted, "INVALID_RESPONSE", 502, T, T},
                    Row{Unsupported, Then::Next, T, T, Kind::Exhausted, "BAD_REQUEST", 502, F, F},
                    Row{Cancelled, Then::Over, F, F, Kind::Stopped, "CANCELLED", 499, F, F},
                    Row{Config, Then::Next, F, F, Kind::Exhausted, "UNKNOWN", 500, F, F},
                    Row{Internal, Then::Next, T, F, Kind::Exhausted, "UNKNOWN", 500, T, F}),
    [](const auto& row) { return std::string(name(row.param.error_class)); });

TEST_F(WalkTest, TheWholeTableIsWalked) {
    EXPECT_EQ(static_cast<int>(Internal), 16) << "a class more is a row more above";
}

// --- whom it may ask

TEST_F(WalkTest, EveryoneIsACandidateUntilAsked) {
    Walk w = walk();
    auto candidates = w.candidates();
    ASSERT_EQ(candidates.size(), 2u);
    EXPECT_TRUE(candidates[0].pending && candidates[1].pending);
    EXPECT_EQ(candidates[1].gate, entries_[1]->gate.get());
    EXPECT_EQ(w.begin(0).provider, "a");
    EXPECT_FALSE(w.candidates()[0].pending);
    EXPECT_TRUE(w.candidates()[1].pending);
}

TEST_F(WalkTest, PatienceBeganWhenTheJobCame) {
    entries_[0]->spec.wait_up_to = 10s;
    options_.waited = 4s;
    EXPECT_EQ(walk().candidates()[0].hold_until, clock_.now() + 6s);
}

TEST_F(WalkTest, WhoIsOffOrHasSaidItsLastWordIsNotAsked) {
    add("c", false);
    options_.tried = Tried{{"a"}, 3};
    Walk w = walk();
    const auto candidates = w.candidates();
    EXPECT_FALSE(candidates[0].pending);
    EXPECT_TRUE(candidates[1].pending);
    EXPECT_FALSE(candidates[2].pending);
    EXPECT_EQ(reasons(w), (Reasons{"answered_badly", "disabled"}));
}

TEST_F(WalkTest, WithoutTimeForACallNobodyIsAsked) {
    Walk w = walk();
    clock_.advance(60s - kMinCall - 1ms);
    EXPECT_TRUE(w.goesOn(clock_.now()));
    clock_.advance(1ms);
    EXPECT_FALSE(w.goesOn(clock_.now()));
    w.passOverRest(clock_.now());
    const auto failure = w.conclusion(clock_.now());
    EXPECT_EQ(failure.code, "DEADLINE");
    EXPECT_EQ(failure.http_status, 504);
    EXPECT_EQ(reasons(w), (Reasons{"deadline", "deadline"}));
}

TEST_F(WalkTest, ATimeThatWasTooShortFromTheBeginningIsToldSo) {
    deadline_ = clock_.now() + kMinCall;
    Walk w = walk();
    EXPECT_FALSE(w.goesOn(clock_.now()));
    w.passOverRest(clock_.now());
    EXPECT_NE(w.conclusion(clock_.now()).message.find("too short"), std::string::npos);
}

TEST_F(WalkTest, AJobCostsNoMoreCallsThanItHasLeft) {
    options_.tried = Tried{{}, 2};
    add("c");
    Walk w = walk();
    fail(w, 0, trouble(InvalidRequest));
    EXPECT_TRUE(w.goesOn(clock_.now()));
    fail(w, 1, trouble(InvalidRequest));
    EXPECT_FALSE(w.goesOn(clock_.now()));
    w.passOverRest(clock_.now());
    EXPECT_TRUE(w.conclusion(clock_.now()).spent);
    EXPECT_EQ(reasons(w), (Reasons{"", "", "no_calls_left"}));
}

TEST_F(WalkTest, WhatTellsOfTheProviderCostsTheJobNone) {
    options_.tried = Tried{{}, 1};
    Walk w = walk();
    fail(w, 0, trouble(Overloaded));
    EXPECT_TRUE(w.goesOn(clock_.now()));
}

// --- what a try that failed means

TEST_F(WalkTest, AQuickRetryComesAfterAShareOfTheLongestPause) {
    entries_[0]->spec.retry = {2, 200ms, 2'000ms};
    Walk w = walk();
    EXPECT_EQ(fail(w, 0, trouble(Transport)), Then::QuickRetry);
    EXPECT_EQ(w.retryAt(clock_.now()), clock_.now() + 100ms);
    EXPECT_TRUE(w.candidates()[0].pending);
    EXPECT_EQ(w.candidates()[0].hold_until, clock_.now() + 100ms) << "it is waited for";
    clock_.advance(100ms);
    EXPECT_FALSE(w.retryAt(clock_.now()));
    EXPECT_EQ(fail(w, 0, trouble(Transport)), Then::Next) << "once";
    EXPECT_EQ(w.leg(0).records.back().number, 2);
}

TEST_F(WalkTest, NoQuickRetryOfWhatWasHeardOrWhereNoneIsWanted) {
    Walk w = walk();
    auto heard = trouble(Transport);
    heard.heard = true;
    EXPECT_EQ(fail(w, 0, heard), Then::Next) << "it may have been paid for";
    entries_[1]->spec.retry.attempts = 1;
    EXPECT_EQ(fail(w, 1, trouble(Transport)), Then::Next);
}

TEST_F(WalkTest, ALimitOfOneKeyIsNoLimitOfTheNext) {
    entries_[0]->spec.api_keys = {config::Secret("k-1"), config::Secret("k-2")};
    Walk w = walk();
    EXPECT_EQ(fail(w, 0, trouble(RateLimited)), Then::AnotherKey);
    EXPECT_TRUE(w.candidates()[0].pending);
    EXPECT_EQ(fail(w, 0, trouble(Auth)), Then::Next) << "it has two";
    EXPECT_FALSE(w.candidates()[0].pending);
}

TEST_F(WalkTest, OnlyWhatIsOfTheKeyTakesAnother) {
    entries_[0]->spec.api_keys = {config::Secret("k-1"), config::Secret("k-2")};
    for (const ErrorClass c : {InvalidRequest, Overloaded, Upstream, Timeout, BadResponse, ModelNotFound}) {
        Walk w = walk();
        EXPECT_EQ(fail(w, 0, trouble(c)), Then::Next) << name(c);
    }
}

TEST_F(WalkTest, NoOtherKeyWhereTheGateLetsNobodyIn) {
    entries_[0]->spec.api_keys = {config::Secret("k-1"), config::Secret("k-2")};
    limit(0, rpm(1));
    report(0, limits::Report::Kind::Ok);
    Walk w = walk();
    EXPECT_EQ(fail(w, 0, trouble(RateLimited)), Then::Next);
}

TEST_F(WalkTest, AnAnswerThatBrokeOffTellsOfTheRequest) {
    auto broke_off = trouble(Transport);
    broke_off.heard = true;
    broke_off.error.http_status = 200;
    Walk w = walk();
    fail(w, 0, broke_off);
    EXPECT_TRUE(w.leg(0).records.back().of_request);
    EXPECT_FALSE(w.leg(0).records.back().last_word) << "it may come whole the next time";
    broke_off.error.http_status = 502;
    fail(w, 1, broke_off);
    EXPECT_FALSE(w.leg(1).records.back().of_request) << "it was no answer that broke off";
}

TEST_F(WalkTest, ACallThatTookAllTheTimeTellsOfTheRequest) {
    Walk w = walk();
    clock_.advance(60s);
    fail(w, 0, trouble(Timeout));
    EXPECT_TRUE(w.leg(0).records.back().of_request);
}

TEST_F(WalkTest, ABadAnswerIsALastWordUnlessNobodyReadIt) {
    auto bad = trouble(BadResponse);
    bad.heard = bad.answered = true;
    Walk w = walk();
    EXPECT_EQ(fail(w, 0, bad), Then::Next);
    EXPECT_TRUE(w.leg(0).records.back().of_request && w.leg(0).records.back().last_word);
    auto unread = trouble(Timeout);
    unread.heard = unread.answered = unread.unwanted = true;
    fail(w, 1, unread);
    EXPECT_TRUE(w.leg(1).records.back().of_request);
    EXPECT_FALSE(w.leg(1).records.back().last_word);
}

TEST_F(WalkTest, AModelThatTheRequestNamesIsItsOwnAffair) {
    request_.model = "m-9";
    Walk w = walk();
    fail(w, 0, trouble(ModelNotFound));
    EXPECT_TRUE(w.leg(0).records.back().of_request && w.leg(0).records.back().last_word);
}

// It goes on failing where others were answered since it first did.
TEST_F(WalkTest, WhoFailsAloneForMinutesIsToBlame) {
    const auto blamed = [&](ErrorClass c, milliseconds waited, std::optional<SteadyTime> first_failed) {
        options_.waited = waited;
        options_.tried = Tried{{}, 6};
        if (first_failed) options_.tried->first_failed = *first_failed;
        Walk w = walk();
        fail(w, 0, trouble(c));
        return w.leg(0).records.back().of_request;
    };
    const SteadyTime began = clock_.now();
    clock_.advance(130s);
    deadline_ = clock_.now() + 60s;
    EXPECT_FALSE(blamed(Upstream, 130s, began)) << "nobody was answered";
    report(0, limits::Report::Kind::Ok);
    EXPECT_TRUE(blamed(Upstream, 130s, began));
    EXPECT_TRUE(blamed(Timeout, 130s, began));
    EXPECT_FALSE(blamed(Overloaded, 130s, began)) << "of load nobody knows";
    EXPECT_FALSE(blamed(Upstream, 119s, began)) << "it has not waited for long";
    EXPECT_FALSE(blamed(Upstream, 130s, {})) << "its first run";
    EXPECT_FALSE(blamed(Upstream, 130s, clock_.now())) << "they were answered before that";
    clock_.advance(60s);
    deadline_ = clock_.now() + 60s;
    EXPECT_FALSE(blamed(Upstream, 190s, began)) << "they were answered long ago";
}

TEST_F(WalkTest, WhatThisMachineLacksIsNoTry) {
    auto unasked = trouble(Internal);
    unasked.unasked = true;
    Walk w = walk();
    EXPECT_EQ(fail(w, 0, unasked), Then::Next);
    EXPECT_EQ(fail(w, 1, unasked), Then::Next);
    const auto& record = w.leg(0).records.back();
    EXPECT_EQ(record.number, 0);
    EXPECT_EQ(record.skipped, "no_resources");
    EXPECT_FALSE(record.of_request);
    const auto failure = w.conclusion(clock_.now());
    EXPECT_EQ(failure.kind, Kind::OutOfMeans);
    EXPECT_EQ(failure.code, "OVERLOADED");
    EXPECT_TRUE(failure.retryable);
}

TEST_F(WalkTest, TheErrorsOwnPauseIsKept) {
    auto limited = trouble(RateLimited);
    limited.error.retry_after = 7s;
    Walk w = walk();
    fail(w, 0, limited);
    EXPECT_EQ(w.leg(0).records.back().retry_after, 7s);
}

// --- whom it passes over, and what it comes to

TEST_F(WalkTest, OfThoseBeforeTheAnswerItIsToldWhyNot) {
    limit(0, rpm(1));
    report(0, limits::Report::Kind::Ok);
    add("c");
    Walk w = walk();
    w.begin(1);
    w.answered(1, 9ms, clock_.now());
    EXPECT_EQ(w.leg(1).records.back().duration, 9ms);
    EXPECT_FALSE(w.leg(1).records.back().error);
    EXPECT_GT(w.leg(0).records.back().retry_after, 50s);
    EXPECT_EQ(reasons(w), (Reasons{"rate_limited", ""})) << "nothing of those behind";
}

TEST_F(WalkTest, AllLimitedIsALimit) {
    limit(0, rpm(1));
    limit(1, oneAtATime());
    report(0, limits::Report::Kind::Ok);
    const auto held = entries_[1]->gate->tryEnter({});
    Walk w = walk();
    w.passOverRest(clock_.now());
    const auto failure = w.conclusion(clock_.now());
    EXPECT_EQ(failure.kind, Kind::AllLimited);
    EXPECT_EQ(failure.http_status, 429);
    EXPECT_TRUE(failure.retry_after);
    EXPECT_EQ(reasons(w), (Reasons{"rate_limited", "busy"}));
}

TEST_F(WalkTest, AnOpenCircuitBesideALimitIsNobodyReady) {
    limit(0, rpm(1));
    report(0, limits::Report::Kind::Ok);
    report(1, limits::Report::Kind::Unreachable, 5);
    Walk w = walk();
    w.passOverRest(clock_.now());
    const auto failure = w.conclusion(clock_.now());
    EXPECT_EQ(failure.kind, Kind::NoneReady);
    EXPECT_EQ(failure.http_status, 503);
    EXPECT_EQ(failure.retry_after, 15s) << "the circuit is the first to be tried";
    EXPECT_EQ(reasons(w), (Reasons{"rate_limited", "circuit_open"}));
}

TEST_F(WalkTest, WhoIsBehindOneThatIsWaitedForIsNotYetAsked) {
    limit(0, rpm(1));
    report(0, limits::Report::Kind::Ok);
    entries_[0]->spec.wait_up_to = 90s;
    Walk w = walk();
    w.looked(clock_.now() + 60s);
    w.passOverRest(clock_.now());
    EXPECT_EQ(w.conclusion(clock_.now()).kind, Kind::AllLimited);
    EXPECT_EQ(w.conclusion(clock_.now()).retry_after, 60s);
    EXPECT_EQ(reasons(w), (Reasons{"rate_limited", "not_yet"}));
}

TEST_F(WalkTest, WhoComesFreeInTheLastMomentWasBusy) {
    Walk w = walk();
    w.passOverRest(clock_.now());
    EXPECT_EQ(reasons(w), (Reasons{"busy", "busy"}));
}

TEST_F(WalkTest, TooLargeForAllIsKnownBeforehand) {
    demand_ = {1'000'000, {}};
    for (size_t i : {0, 1}) limit(i, tpm(1'000));
    Walk w = walk();
    EXPECT_TRUE(w.isTooLargeForAll());
    const auto failure = w.conclusion(clock_.now());
    EXPECT_EQ(failure.kind, Kind::Exhausted);
    EXPECT_EQ(failure.code, "CONTEXT_LENGTH");
    EXPECT_EQ(failure.http_status, 400);
    EXPECT_FALSE(failure.retryable);
    EXPECT_NE(failure.message.find("a: its 1000000 bytes"), std::string::npos) << failure.message;

    limit(1, {});
    Walk other = walk();
    EXPECT_FALSE(other.isTooLargeForAll());
}

TEST_F(WalkTest, WithoutAnybodyItIsNotTooLarge) {
    entries_.clear();
    EXPECT_FALSE(walk().isTooLargeForAll());
    EXPECT_FALSE(walk().goesOn(clock_.now()));
    EXPECT_EQ(walk().conclusion(clock_.now()).message, "No provider is available.");
}

TEST_F(WalkTest, WhatStopsItIsWhatItFailedOf) {
    Walk w = walk();
    w.stop({InvalidRequest, "the prompt renders to nothing"});
    EXPECT_FALSE(w.goesOn(clock_.now()));
    const auto failure = w.conclusion(clock_.now());
    EXPECT_EQ(failure.kind, Kind::Stopped);
    EXPECT_EQ(failure.message, "the prompt renders to nothing");
    EXPECT_EQ(failure.http_status, 400);
}

TEST_F(WalkTest, WhenAllRefuseTheirKeysThatIsTheAnswer) {
    for (size_t i : {0, 1}) report(i, limits::Report::Kind::KeyRefused);
    Walk w = walk();
    w.passOverRest(clock_.now());
    const auto failure = w.conclusion(clock_.now());
    EXPECT_EQ(failure.code, "AUTH");
    EXPECT_NE(failure.message.find("a refused its API key"), std::string::npos) << failure.message;
}

TEST_F(WalkTest, AJobIsOverWhenAllHaveSaidTheirLastWord) {
    options_.tried = Tried{{"b"}, 3};
    Walk w = walk();
    fail(w, 0, trouble(InvalidRequest));
    w.passOverRest(clock_.now());
    EXPECT_TRUE(w.conclusion(clock_.now()).spent);
    EXPECT_FALSE(w.conclusion(clock_.now()).retryable);
}

TEST_F(WalkTest, AnOutageNamesWhenTheOthersAreReady) {
    limit(1, rpm(1));
    report(1, limits::Report::Kind::Ok);
    Walk w = walk();
    fail(w, 0, trouble(Upstream));
    w.passOverRest(clock_.now());
    const auto failure = w.conclusion(clock_.now());
    EXPECT_TRUE(failure.outage);
    ASSERT_TRUE(failure.others_ready);
    EXPECT_NEAR(static_cast<double>(failure.others_ready->count()), 60'000, 1'000);
}

TEST_F(WalkTest, ProgressGrowsFromTenTowardsNinety) {
    Walk w = walk();
    w.begin(0);
    EXPECT_EQ(w.progress(), 10);
    w.begin(1);
    EXPECT_EQ(w.progress(), 50);
}

}  // namespace
}  // namespace stepper::engine
