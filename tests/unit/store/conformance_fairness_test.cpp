// Who is served next: priority, then tenants in turn, then age.
#include <algorithm>

#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Fairness : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Store, Fairness, testing::ValuesIn(storeKinds()), kindName);

using Ids = std::vector<std::string>;

TEST_P(Fairness, TheOldestFirst) {
    for (const auto* id : {"c", "a", "b"}) enqueue(plainJob(id));
    EXPECT_EQ(claimIds(Lane::Live, 5), (Ids{"c", "a", "b"}));
}

TEST_P(Fairness, LowerPriorityNumbersFirst) {
    enqueue(plainJob("p9", "", 9));
    enqueue(plainJob("p0", "", 0));
    enqueue(plainJob("p5", "", 5));
    EXPECT_EQ(claimIds(Lane::Live, 5), (Ids{"p0", "p5", "p9"}));
}

TEST_P(Fairness, TenantsTakeTurnsByName) {
    for (const auto* id : {"a1", "a2", "a3", "a4"}) enqueue(plainJob(id, "a"));
    for (const auto* id : {"c1", "c2"}) enqueue(plainJob(id, "c"));
    enqueue(plainJob("b1", "b"));
    EXPECT_EQ(claimIds(Lane::Live, 10), (Ids{"a1", "b1", "c1", "a2", "c2", "a3", "a4"}));
}

TEST_P(Fairness, TheTurnGoesOnFromClaimToClaim) {
    for (const auto* id : {"a1", "a2", "a3"}) enqueue(plainJob(id, "a"));
    for (const auto* id : {"b1", "b2"}) enqueue(plainJob(id, "b"));
    EXPECT_EQ(claimIds(Lane::Live, 1), (Ids{"a1"}));
    EXPECT_EQ(claimIds(Lane::Live, 2), (Ids{"b1", "a2"}));
    EXPECT_EQ(claimIds(Lane::Live, 1), (Ids{"b2"}));
    EXPECT_EQ(claimIds(Lane::Live, 1), (Ids{"a3"}));
}

TEST_P(Fairness, ATenantThatComesLaterIsServedInItsPlaceOfTheRound) {
    for (const auto* id : {"b1", "b2"}) enqueue(plainJob(id, "b"));
    EXPECT_EQ(claimIds(Lane::Live, 1), (Ids{"b1"}));
    enqueue(plainJob("a1", "a"));
    enqueue(plainJob("c1", "c"));
    EXPECT_EQ(claimIds(Lane::Live, 3), (Ids{"c1", "a1", "b2"}));
}

TEST_P(Fairness, TurnsAreTakenAmongThoseOfTheBestPriority) {
    enqueue(plainJob("a9", "a", 9));
    enqueue(plainJob("b5", "b", 5));
    enqueue(plainJob("b9", "b", 9));
    enqueue(plainJob("c5", "c", 5));
    enqueue(plainJob("a5", "a", 5));
    EXPECT_EQ(claimIds(Lane::Live, 5), (Ids{"a5", "b5", "c5", "a9", "b9"}));
}

TEST_P(Fairness, TheTurnIsSharedByThePriorities) {
    enqueue(plainJob("a0", "a", 0));
    enqueue(plainJob("a5", "a", 5));
    enqueue(plainJob("b5", "b", 5));
    EXPECT_EQ(claimIds(Lane::Live, 3), (Ids{"a0", "b5", "a5"}));
}

TEST_P(Fairness, EachLaneHasItsOwnTurn) {
    NewBatch a = newBatch("A", 5, {plainItem("ai")}), b = newBatch("B", 5, {plainItem("bi")});
    a.tenant = "a";
    b.tenant = "b";
    enqueue(a);
    enqueue(b);
    enqueue(plainJob("a1", "a"));
    enqueue(plainJob("b1", "b"));
    EXPECT_EQ(claimIds(Lane::Live, 1), (Ids{"a1"}));
    EXPECT_EQ(claimIds(Lane::Batch, 1), (Ids{"ai"}));
    EXPECT_EQ(claimIds(Lane::Live, 1), (Ids{"b1"}));
    EXPECT_EQ(claimIds(Lane::Batch, 1), (Ids{"bi"}));
}

TEST_P(Fairness, APostponedOrCrashedJobKeepsItsAge) {
    for (const auto* id : {"a", "b", "c"}) enqueue(plainJob(id));
    const Lease a = take("a");
    take("b");
    postpone(a, 0ms);
    crash();
    EXPECT_EQ(claimIds(Lane::Live, 5), (Ids{"a", "b", "c"}));
}

TEST_P(Fairness, NoTenantIsSkippedForever) {
    for (int i = 0; i < 50; ++i) enqueue(plainJob("busy" + std::to_string(i), "busy"));
    for (const auto* tenant : {"quiet1", "quiet2", ""})
        enqueue(plainJob(std::string("of ") + tenant, tenant));
    const Ids first = claimIds(Lane::Live, 6);
    for (const auto* tenant : {"quiet1", "quiet2", ""})
        EXPECT_NE(std::find(first.begin(), first.end(), std::string("of ") + tenant), first.end());
}

}  // namespace
}  // namespace stepper::store
