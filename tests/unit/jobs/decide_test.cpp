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
    const auto d = decide(answering(false), afterAttempts(0), {}, 0.5);
    ASSERT_TRUE(ended(d));
    EXPECT_EQ(ended(d)->state, store::JobState::Done);
    EXPECT_EQ(ended(d)->result, "7");
    EXPECT_TRUE(ended(d)->cache);
}

TEST(Decide, TheFallbackEndsTheJobAndIsNotCached) {
    const auto d = decide(answering(true), afterAttempts(0), {}, 0.5);
    ASSERT_TRUE(ended(d));
    EXPECT_EQ(ended(d)->state, store::JobState::Done);
    EXPECT_FALSE(ended(d)->cache);
    EXPECT_GT(ended(d)->refresh_pause.count(), 0);
}

TEST(Decide, ARetryableFailureComesBackAfterTheLongerOfBackoffAndHint) {
    const auto soon =
        decide(failing(Failure::Kind::Exhausted, true, milliseconds{300}), afterAttempts(0), {}, 0.5);
    ASSERT_TRUE(postponed(soon));
    EXPECT_TRUE(postponed(soon)->attempt_failed);
    EXPECT_EQ(postponed(soon)->delay, milliseconds{1'000});
    const auto hinted =
        decide(failing(Failure::Kind::Exhausted, true, milliseconds{7'000}), afterAttempts(0), {}, 0.5);
    EXPECT_EQ(postponed(hinted)->delay, milliseconds{7'000});
}

TEST(Decide, WhenAllAreLimitedNoAttemptIsBurnt) {
    const auto d =
        decide(failing(Failure::Kind::AllLimited, true, milliseconds{40'000}), afterAttempts(4), {}, 0.999);
    ASSERT_TRUE(postponed(d));
    EXPECT_FALSE(postponed(d)->attempt_failed);
    EXPECT_GE(postponed(d)->delay, milliseconds{40'000});
    EXPECT_LT(postponed(d)->delay, milliseconds{44'000});
}

TEST(Decide, TheLastAttemptFails) {
    Policy policy;
    policy.max_attempts = 3;
    EXPECT_TRUE(postponed(decide(failing(Failure::Kind::Exhausted, true), afterAttempts(1), policy, 0)));
    const auto d = decide(failing(Failure::Kind::Exhausted, true), afterAttempts(2), policy, 0);
    ASSERT_TRUE(ended(d));
    EXPECT_EQ(ended(d)->state, store::JobState::Failed);
    EXPECT_EQ(ended(d)->meta,
              R"({"errorCode":"TIMEOUT","message":"too slow","retryable":true,"providersAttempted":[]})");
}

TEST(Decide, WhatNoLaterAttemptCanMendFailsAtOnce) {
    EXPECT_TRUE(ended(decide(failing(Failure::Kind::Stopped, false), afterAttempts(0), {}, 0)));
    EXPECT_TRUE(ended(decide(failing(Failure::Kind::Exhausted, false), afterAttempts(0), {}, 0)));
}

TEST(Decide, NothingIsDelayedBeyondItsTimeLimit) {
    store::Claimed job;
    job.time_left = milliseconds{500};
    const auto d = decide(failing(Failure::Kind::AllLimited, true, milliseconds{60'000}), job, {}, 0);
    EXPECT_EQ(postponed(d)->delay, milliseconds{500});
    job.time_left = milliseconds{-3};
    for (const auto kind : {Failure::Kind::AllLimited, Failure::Kind::NoneReady, Failure::Kind::Exhausted})
        EXPECT_TRUE(ended(decide(failing(kind, true, milliseconds{60'000}), job, {}, 0)));
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
