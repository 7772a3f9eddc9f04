// Shares of cost, and how much is looked at for them.
#include "core/store/turns.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace stepper::store {
namespace {

class TurnsTest : public testing::Test {
protected:
    // A tenant whose jobs all cost the same, and that always has another.
    void waits(const std::string& tenant, int cost) { costs_[tenant] = cost; }

    std::string serve() {
        const auto look = [&](const std::optional<std::string>& behind) -> std::optional<Turns::Waiting> {
            ++looks_;
            const auto found = behind ? costs_.upper_bound(*behind) : costs_.begin();
            if (found == costs_.end()) return {};
            return Turns::Waiting{found->first, 0};
        };
        const auto next = turns_.next(5, look);
        if (!next) return "nobody";
        turns_.charge(costs_.at(next->tenant));
        served_[next->tenant] += costs_.at(next->tenant);
        return next->tenant;
    }

    std::map<std::string, int> costs_, served_;
    Turns turns_;
    int looks_ = 0;
};

TEST_F(TurnsTest, TheCostGrowsWithTheRequestUpToABound) {
    EXPECT_EQ(costOf(0), 1);
    EXPECT_EQ(costOf(8'191), 1);
    EXPECT_EQ(costOf(8'192), 2);
    EXPECT_EQ(costOf(100 * 1'024), 13);
    EXPECT_EQ(costOf(15 * 8'192 - 1), 15);
    EXPECT_EQ(costOf(15 * 8'192), 16);
    EXPECT_EQ(costOf(size_t{1} << 40), 16);
}

TEST_F(TurnsTest, NobodyIsServedWhenNobodyWaits) {
    EXPECT_EQ(serve(), "nobody");
    waits("a", 1);
    EXPECT_EQ(serve(), "a");
}

TEST_F(TurnsTest, SharesOfCostStayEqualWhateverTheJobsCost) {
    for (const auto& [tenant, cost] : std::map<std::string, int>{{"a", 13}, {"b", 1}, {"c", 4}, {"d", 16}})
        waits(tenant, cost);
    for (int i = 0; i < 2'000; ++i) {
        serve();
        for (const auto& [one, cost] : costs_)
            for (const auto& [other, other_cost] : costs_)
                ASSERT_LE(served_[one] - served_[other], 16) << one << " " << other << " after " << i;
    }
    EXPECT_GT(served_["d"], 1'000);
}

TEST_F(TurnsTest, WithJobsOfOneRoundEachServiceIsOneLook) {
    for (int i = 0; i < 100; ++i) waits("tenant" + std::to_string(i), 1);
    for (int i = 0; i < 1'000; ++i) serve();
    // And one at each end of a round.
    EXPECT_EQ(looks_, 1'000 + 9);
}

TEST_F(TurnsTest, RoundsThatEverybodySitsOutAreSkipped) {
    for (int i = 0; i < 100; ++i) waits("tenant" + std::to_string(i), 16);
    for (int i = 0; i < 1'000; ++i) serve();
    EXPECT_LE(looks_, 1'000 + 10 * 200);
}

TEST_F(TurnsTest, ATenantIsPassedOverAtMostOncePerRoundOfItsCost) {
    for (int i = 0; i < 100; ++i) waits("a" + std::to_string(i), 16);
    waits("b", 1);
    for (int i = 0; i < 116 * 20; ++i) serve();
    EXPECT_EQ(served_["b"], 16 * 20);
    EXPECT_LE(looks_, 20 * 17 * 102);
}

}  // namespace
}  // namespace stepper::store
