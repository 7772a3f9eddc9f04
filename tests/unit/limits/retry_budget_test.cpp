#include "core/limits/retry_budget.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;

class RetryBudgetTest : public testing::Test {
protected:
    void call(int times = 1) {
        for (int i = 0; i < times; ++i) budget_.called(now_);
    }
    int takeAll() {
        int n = 0;
        while (budget_.tryTake(now_)) ++n;
        return n;
    }
    // Calls that all fail and all want a retry.
    int retriesInAStorm(int calls, milliseconds apart) {
        int retries = 0;
        for (int i = 0; i < calls; ++i) {
            now_ += apart;
            call();
            if (!budget_.tryTake(now_)) continue;
            ++retries;
            call();
        }
        return retries;
    }

    SteadyTime now_{1h};
    RetryBudget budget_;
};

TEST_F(RetryBudgetTest, StartsWithThree) {
    call();
    EXPECT_EQ(takeAll(), 3);
    EXPECT_FALSE(budget_.tryTake(now_));
}

TEST_F(RetryBudgetTest, EightCallsEarnOne) {
    call();
    takeAll();
    call(7);
    EXPECT_EQ(takeAll(), 0);
    call();
    EXPECT_EQ(takeAll(), 1);
    call(6);
    EXPECT_EQ(takeAll(), 0);
}

TEST_F(RetryBudgetTest, SavesNoMoreThanThree) {
    call(1000);
    EXPECT_EQ(takeAll(), 3);
}

TEST_F(RetryBudgetTest, AStormOfAHundredCallsHasLessThanAFifthOfRetries) {
    EXPECT_EQ(retriesInAStorm(100, 100ms), 19);
    call(1000);
    EXPECT_EQ(retriesInAStorm(100, 0ms), 19);
    now_ += 1h;
    EXPECT_EQ(retriesInAStorm(100, 9999ms), 19);
    EXPECT_EQ(retriesInAStorm(1000, 9999ms), 163);
}

TEST_F(RetryBudgetTest, SilenceEarnsOneEveryTenSeconds) {
    call();
    takeAll();
    now_ += 9999ms;
    EXPECT_EQ(takeAll(), 0);
    now_ += 1ms;
    EXPECT_EQ(takeAll(), 1);
    now_ += 9999ms;
    EXPECT_EQ(takeAll(), 0);
    now_ += 10'001ms;
    EXPECT_EQ(takeAll(), 2);
    now_ += 24h;
    EXPECT_EQ(takeAll(), 3);
    EXPECT_EQ(takeAll(), 0);
}

TEST_F(RetryBudgetTest, ACallEndsTheSilence) {
    call();
    takeAll();
    for (int i = 0; i < 7; ++i) {
        now_ += 9999ms;
        call();
        EXPECT_EQ(takeAll(), 0);
    }
    now_ += 10s;
    call();
    EXPECT_EQ(takeAll(), 2);  // the silence's and the eight calls'
}

TEST_F(RetryBudgetTest, AQuietProviderCanRepeatEveryCall) { EXPECT_EQ(retriesInAStorm(50, 10s), 50); }

TEST_F(RetryBudgetTest, ATimeReadBeforeAnothersTakesNothingAway) {
    call();
    now_ -= 30s;
    call();
    EXPECT_EQ(takeAll(), 3);
    now_ += 39s;
    EXPECT_EQ(takeAll(), 0);
}

TEST_F(RetryBudgetTest, NoStretchOfAHundredCallsHasMoreThanAFifthOfRetries) {
    std::mt19937 random(7);
    const auto upTo = [&random](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
    std::vector<int> retries_after;  // each call
    for (int i = 0; i < 3000; ++i) {
        now_ += milliseconds{upTo(upTo(1) ? 9999 : 50)};
        call();
        // Sometimes nobody wants one for a while, sometimes everybody does.
        const int wanted = i / 200 % 2 ? upTo(3) : 0;
        int taken = 0;
        for (; taken < wanted && budget_.tryTake(now_); ++taken) call();
        retries_after.push_back(taken);
    }
    int most = 0;
    for (size_t from = 0; from < retries_after.size(); ++from) {
        int retries = 0;
        for (size_t to = from; to < retries_after.size(); ++to) {
            retries += retries_after[to];
            const size_t calls = to + 1 - from;
            if (calls < 100) continue;
            if (calls == 100) most = std::max(most, retries);
            ASSERT_LE(5 * retries, static_cast<int>(calls)) << from << ".." << to;
        }
    }
    EXPECT_EQ(most, 19);
}

}  // namespace
}  // namespace stepper::limits
