#include "core/limits/token_estimate.h"

#include <gtest/gtest.h>

namespace stepper::limits {
namespace {

Quotas::Actual actual(int64_t in, int64_t out) { return {true, in, out}; }

TEST(TokenEstimate, BeginsWithCautionAndHonoursTheRequestsLimit) {
    const TokenEstimate estimate;
    EXPECT_GE(estimate.of({3600, {}}).tokens_in, 1000);
    EXPECT_LE(estimate.of({3600, {}}).tokens_in, 1100);
    EXPECT_EQ(estimate.of({0, {}}).tokens_out, 512);
    EXPECT_EQ(estimate.of({0, 20}).tokens_out, 20);
}

TEST(TokenEstimate, TheFirstAnswerReplacesTheGuess) {
    TokenEstimate estimate;
    estimate.learn({1000, {}}, actual(500, 40));
    EXPECT_EQ(estimate.of({1000, {}}).tokens_out, 40);
    EXPECT_EQ(estimate.of({1000, {}}).tokens_in, 500);
    // Requests that are alike are known exactly, however many they were.
    for (int i = 0; i < 50; ++i) estimate.learn({333, {}}, actual(71, 40));
    for (int i = 0; i < 500; ++i) estimate.learn({333, {}}, actual(71, 40));
    EXPECT_EQ(estimate.of({333, {}}).tokens_in, 71);
}

TEST(TokenEstimate, AnswersOfVariousLengthsAreMostlyCovered) {
    TokenEstimate estimate;
    int covered = 0;
    for (int i = 0; i < 400; ++i) {
        const int64_t out = 50 + (i * 37) % 100;
        if (i >= 100 && estimate.of({100, {}}).tokens_out >= out) ++covered;
        estimate.learn({100, {}}, actual(30, out));
    }
    EXPECT_GT(covered, 270);
    EXPECT_LT(estimate.of({100, {}}).tokens_out, 200);
}

TEST(TokenEstimate, AbsurdReportsDoNotCarryItAway) {
    TokenEstimate estimate;
    estimate.learn({1000, {}}, actual(1'000'000'000, -5));
    EXPECT_LE(estimate.of({1000, {}}).tokens_in, 1600);
    EXPECT_EQ(estimate.of({1000, {}}).tokens_out, 512);
    estimate.learn({8, {}}, actual(400, 512));  // says more of the envelope than of the text
    EXPECT_LE(estimate.of({1000, {}}).tokens_in, 1600);
}

}  // namespace
}  // namespace stepper::limits
