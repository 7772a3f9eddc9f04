#include "core/jobs/decide.h"

#include <gtest/gtest.h>

namespace stepper::jobs {
namespace {

using engine::Failure;

engine::Outcome failing(Failure::Kind kind, bool retryable, std::optional<milliseconds> hint = {}) {
    engine::Outcome out;
    out.failure = Failure{kind, "TIMEOUT", 504, "too slow", retryable, hint};
    return out;
}

engine::Outcome answering(bool fallback) {
    engine::Outcome out;
    out.result = "7";
    out.provider = fallback ? "fallback" : "one";
    out.fallback = fallback;
    return out;
}

store::Claimed afterAttempts(int attempts) {
    store::Claimed job;
    job.attempts = attempts;
    return job;
}

const store::Postponement* postponed(const Decision& d) { return std::get_if<store::Postponement>(&d); }
const store::Ending* ended(const Decision& d) { return std::get_if<store::Ending>(&d); }

TEST(Decide, AnAnswerEndsTheJobAndIsCached) {
    const auto d = decide(answering(false), afterAttempts(0), {}, {}, 0.5);
    ASSERT_TRUE(ended(d));
    EXPECT_EQ(ended(d)->state, store::JobState::Done);
    EXPECT_EQ(ended(d)->result, "7");
    EXPECT_TRUE(ended(d)->cache);
}

TEST(Decide, TheFallbackEndsTheJobAndIsNotCached) {
    const auto d = decide(answering(true), afterAttempts(0), {}, {}, 0.5);
    ASSERT_TRUE(ended(d));
    EXPECT_EQ(ended(d)->state, store::JobState::Substituted);
    EXPECT_FALSE(ended(d)->cache);
    EXPECT_GT(ended(d)->refresh_pause.count(), 0);
}

// diegosouzapw/OmniRoute#12885, HKUDS/LightRAG#3446: the cut answer was served to everybody after.
TEST(Decide, AnAnswerThatWasCutOffEndsTheJobAndIsNotCached) {
    auto cut = answering(false);
    cut.truncated = true;
    const auto d = decide(cut, afterAttempts(0), {}, {}, 0.5);
    ASSERT_TRUE(ended(d));
    EXPECT_EQ(ended(d)->state, store::JobState::Done);
    EXPECT_EQ(ended(d)->result, "7");
    EXPECT_FALSE(ended(d)->cache);
    EXPECT_GT(ended(d)->refresh_pause.count(), 0);
}

TEST(Decide, ARetryableFailureComesBackAfterTheLongerOfBackoffAndHint) {
    const auto soon =
        decide(failing(Failure::Kind::Exhausted, true, milliseconds{300}), afterAttempts(0), {}, {}, 0.5);
    ASSERT_TRUE(postponed(soon));
    EXPECT_TRUE(postponed(soon)->attempt_failed);
    EXPECT_EQ(postponed(soon)->delay, milliseconds{1'000});
    const auto hinted =
        decide(failing(Failure::Kind::Exhausted, true, milliseconds{7'000}), afterAttempts(0), {}, {}, 0.5);
    EXPECT_EQ(postponed(hinted)->delay, milliseconds{7'000});
}

TEST(Decide, WhenAllAreLimitedNoAttemptIsBurnt) {
    const auto d = decide(failing(Failure::Kind::AllLimited, true, milliseconds{40'000}), afterAttempts(4),
                          {}, {}, 0.999);
    ASSERT_TRUE(postponed(d));
    EXPECT_FALSE(postponed(d)->attempt_failed);
    EXPECT_GE(postponed(d)->delay, milliseconds{40'000});
    EXPECT_LT(postponed(d)->delay, milliseconds{44'000});
}

// What providers that are down say of a job is nothing.
TEST(Decide, AnOutageBurnsNoAttempt) {
    auto outcome = failing(Failure::Kind::Exhausted, true);
    outcome.failure->outage = true;
    const auto at = [&](milliseconds waited, double chance) {
        const auto d = decide(outcome, afterAttempts(4), {}, {waited, {}}, chance);
        EXPECT_TRUE(postponed(d));
        EXPECT_FALSE(postponed(d)->attempt_failed);
        return postponed(d)->delay;
    };
    EXPECT_EQ(at(milliseconds{0}, 0), milliseconds{1'000});
    EXPECT_EQ(at(milliseconds{60'000}, 0.5), milliseconds{45'000});
    EXPECT_EQ(at(milliseconds{3'600'000}, 0), milliseconds{150'000});
    EXPECT_LE(at(milliseconds{3'600'000}, 0.999), milliseconds{300'000});
    outcome.failure->retry_after = milliseconds{400'000};
    EXPECT_EQ(at(milliseconds{60'000}, 0), milliseconds{400'000}) << "what they asked for";
    outcome.failure->others_ready = milliseconds{7'000};
    EXPECT_EQ(at(milliseconds{60'000}, 0), milliseconds{7'000}) << "another one may be asked before";
    const auto d = decide(outcome, afterAttempts(4), {}, {milliseconds{86'400'000}, {}}, 0);
    ASSERT_TRUE(ended(d));
    EXPECT_NE(ended(d)->meta.find("queue.max_wait"), std::string::npos);
}

TEST(Decide, TheLastAttemptFails) {
    Policy policy;
    policy.max_attempts = 3;
    EXPECT_TRUE(postponed(decide(failing(Failure::Kind::Exhausted, true), afterAttempts(1), policy, {}, 0)));
    const auto d = decide(failing(Failure::Kind::Exhausted, true), afterAttempts(2), policy, {}, 0);
    ASSERT_TRUE(ended(d));
    EXPECT_EQ(ended(d)->state, store::JobState::Failed);
    EXPECT_EQ(ended(d)->meta,
              R"({"errorCode":"TIMEOUT","message":"too slow","retryable":true,"providersAttempted":[]})");
}

TEST(Decide, WhatNoLaterAttemptCanMendFailsAtOnce) {
    EXPECT_TRUE(ended(decide(failing(Failure::Kind::Stopped, false), afterAttempts(0), {}, {}, 0)));
    EXPECT_TRUE(ended(decide(failing(Failure::Kind::Exhausted, false), afterAttempts(0), {}, {}, 0)));
}

engine::AttemptRecord tried(const std::string& provider) {
    engine::AttemptRecord record;
    record.provider = provider;
    record.error = Error{ErrorClass::Timeout, "no answer"};
    record.error_code = "TIMEOUT";
    return record;
}

engine::AttemptRecord skipped(const std::string& provider) {
    engine::AttemptRecord record;
    record.provider = provider;
    record.number = 0;
    record.skipped = "rate_limited";
    return record;
}

TEST(Decide, NothingIsDelayedBeyondItsTimeLimit) {
    Moment moment;
    moment.time_left = milliseconds{500};
    const auto d = decide(failing(Failure::Kind::AllLimited, true, milliseconds{60'000}), afterAttempts(0),
                          {}, moment, 0);
    ASSERT_TRUE(postponed(d));
    EXPECT_EQ(postponed(d)->delay, milliseconds{500});
}

// A job that used its time up in its first run ends with that run: no second one to be told that it is late.
TEST(Decide, AtItsTimeLimitAJobEnds) {
    using Kind = Failure::Kind;
    for (const int64_t left : {-3, 0, 60})
        for (const auto kind : {Kind::AllLimited, Kind::NoneReady, Kind::Exhausted}) {
            auto outcome = failing(kind, true, milliseconds{60'000});
            outcome.attempts = {tried("one")};
            const auto d = decide(outcome, afterAttempts(0), {}, {{}, milliseconds{left}}, 0.5);
            ASSERT_TRUE(ended(d));
            EXPECT_EQ(ended(d)->state, store::JobState::Failed);
            // Whatever it waited for, its time is what it failed of; an error is told as it is.
            const auto* code =
                kind == Kind::Exhausted ? R"("errorCode":"TIMEOUT")" : R"("errorCode":"DEADLINE")";
            EXPECT_NE(ended(d)->meta.find(code), std::string::npos) << ended(d)->meta;
            // Those who wait for the same answer have time of their own.
            EXPECT_TRUE(ended(d)->alone);
            EXPECT_EQ(ended(d)->refresh_pause.count(), 0);
        }
}

TEST(Decide, TheFallbackOfOneWhoseTimeIsUpIsNotForThoseWhoFollow) {
    const auto late = decide(answering(true), afterAttempts(0), {}, {{}, milliseconds{0}}, 0.5);
    EXPECT_TRUE(ended(late)->alone);
    EXPECT_FALSE(ended(decide(answering(true), afterAttempts(4), {}, {}, 0.5))->alone);
    EXPECT_FALSE(ended(decide(answering(false), afterAttempts(0), {}, {{}, milliseconds{0}}, 0.5))->alone);
}

TEST(Decide, ARefusalIsEverybodysHoweverLate) {
    const Moment late{{}, milliseconds{0}};
    const auto d = decide(failing(Failure::Kind::Stopped, false), afterAttempts(0), {}, late, 0);
    EXPECT_FALSE(ended(d)->alone);
}

TEST(Decide, ARefreshFailsAlone) {
    store::Claimed job = afterAttempts(4);
    job.background = true;
    EXPECT_TRUE(ended(decide(failing(Failure::Kind::Exhausted, true), job, {}, {}, 0))->alone);
    EXPECT_TRUE(ended(decide(failing(Failure::Kind::Stopped, false), job, {}, {}, 0))->alone);
    EXPECT_FALSE(ended(decide(failing(Failure::Kind::Exhausted, true), afterAttempts(4), {}, {}, 0))->alone);
}

TEST(Decide, AfterTheLongestWaitAJobFailsWithTheReason) {
    Policy policy;
    policy.max_wait = std::chrono::hours{2};
    for (const auto kind : {Failure::Kind::AllLimited, Failure::Kind::NoneReady, Failure::Kind::Exhausted}) {
        const auto limited = failing(kind, true, milliseconds{60'000});
        const Moment just_before{policy.max_wait - milliseconds{700}, {}};
        const auto before = decide(limited, afterAttempts(0), policy, just_before, 0);
        ASSERT_TRUE(postponed(before));
        EXPECT_EQ(postponed(before)->delay, milliseconds{700});
        const auto then = decide(limited, afterAttempts(0), policy, {policy.max_wait, {}}, 0);
        ASSERT_TRUE(ended(then));
        EXPECT_EQ(ended(then)->state, store::JobState::Failed);
        EXPECT_NE(ended(then)->meta.find("within 2h, the longest that queue.max_wait lets it wait. too slow"),
                  std::string::npos)
            << ended(then)->meta;
        EXPECT_TRUE(ended(then)->alone);
    }
}

TEST(Decide, WhoIsAnsweredAfterTheLongestWaitIsAnswered) {
    const auto d = decide(answering(false), afterAttempts(0), {}, {std::chrono::hours{30}, {}}, 0);
    EXPECT_EQ(ended(d)->state, store::JobState::Done);
    EXPECT_TRUE(ended(d)->cache);
}

TEST(Decide, WhatWasTriedIsToldUntilSomethingElseIs) {
    auto outcome = failing(Failure::Kind::Exhausted, true);
    outcome.attempts = {tried("one"), skipped("two")};
    const auto first = decide(outcome, afterAttempts(0), {}, {}, 0);
    store::Claimed job = afterAttempts(1);
    job.meta = postponed(first)->meta;

    auto nobody = failing(Failure::Kind::AllLimited, true);
    nobody.attempts = {skipped("one"), skipped("two")};
    const auto second = decide(nobody, job, {}, {}, 0);
    EXPECT_NE(postponed(second)->meta.find(R"("error":"no answer")"), std::string::npos);
    job.meta = postponed(second)->meta;
    const auto last = decide(nobody, job, {}, {{}, milliseconds{0}}, 0);
    EXPECT_NE(ended(last)->meta.find(R"("error":"no answer")"), std::string::npos);
    EXPECT_NE(ended(last)->meta.find(R"("skipped":"rate_limited")"), std::string::npos);
    auto fallback = answering(true);
    fallback.attempts = nobody.attempts;
    EXPECT_NE(ended(decide(fallback, job, {}, {}, 0))->meta.find("no answer"), std::string::npos);

    outcome.attempts = {tried("three")};
    const auto other = decide(outcome, job, {}, {}, 0);
    EXPECT_EQ(postponed(other)->meta.find("one"), std::string::npos);
    EXPECT_NE(postponed(other)->meta.find("three"), std::string::npos);
    job.meta = "damaged";
    EXPECT_TRUE(postponed(decide(nobody, job, {}, {}, 0)));
}

TEST(Backoff, DoublesUpToItsCap) {
    constexpr double kAlmostAll = 0.99999;
    const int64_t expected[] = {2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000, 60'000};
    for (int i = 0; i < 8; ++i)
        EXPECT_NEAR(static_cast<double>(backoff(i, kAlmostAll).count()), static_cast<double>(expected[i]), 2);
    EXPECT_EQ(backoff(3, 0), milliseconds{0});
    EXPECT_EQ(backoff(1'000, 0.5), milliseconds{30'000});
}

}  // namespace
}  // namespace stepper::jobs
