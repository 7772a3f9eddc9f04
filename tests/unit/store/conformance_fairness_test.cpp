// Who is served next: priority, then the tenants that wait in equal shares, then age.
#include <algorithm>

#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Fairness : public StoreTest {
protected:
    static NewJob jobOf(int cost, const std::string& id, const std::string& tenant,
                        int priority = kNormalPriority) {
        NewJob job = plainJob(id, tenant, priority);
        job.request = std::string(static_cast<size_t>(cost - 1) * 8'192, 'x');
        return job;
    }
    // a1, a2, ...
    void enqueueSome(const std::string& tenant, int jobs, int cost) {
        for (int i = 1; i <= jobs; ++i) enqueue(jobOf(cost, tenant + std::to_string(i), tenant));
    }
};
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

TEST_P(Fairness, UrgentJobsDoNotLeadTheTurnPastATenant) {
    for (const auto* id : {"a1", "a2", "a3"}) enqueue(plainJob(id, "a"));
    for (const auto* id : {"n1", "n2", "n3"}) enqueue(plainJob(id, "n"));
    for (const auto* id : {"z1", "z2"}) enqueue(plainJob(id, "z"));
    Ids served;
    for (int i = 0; i < 5; ++i) {
        const std::string urgent = "urgent" + std::to_string(i);
        enqueue(plainJob(urgent, "m", 0));
        EXPECT_EQ(claimIds(Lane::Live, 1), (Ids{urgent}));
        for (const auto& id : claimIds(Lane::Live, 1)) served.push_back(id);
    }
    EXPECT_EQ(served, (Ids{"a1", "n1", "z1", "a2", "n2"}));
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

TEST_P(Fairness, ATenantSitsOutTheRoundsThatItsJobCosts) {
    enqueueSome("a", 3, 3);
    enqueueSome("b", 7, 1);
    EXPECT_EQ(claimIds(Lane::Live, 10), (Ids{"a1", "b1", "b2", "b3", "a2", "b4", "b5", "b6", "a3", "b7"}));
}

TEST_P(Fairness, WhatIsOwedGoesOnFromClaimToClaim) {
    enqueueSome("a", 2, 3);
    enqueueSome("b", 4, 1);
    Ids served;
    for (int i = 0; i < 6; ++i)
        for (const auto& id : claimIds(Lane::Live, 1)) served.push_back(id);
    EXPECT_EQ(served, (Ids{"a1", "b1", "b2", "b3", "a2", "b4"}));
}

TEST_P(Fairness, RoundsThatEverybodySitsOutAreSkipped) {
    enqueueSome("a", 2, 16);
    enqueueSome("b", 2, 16);
    enqueueSome("c", 4, 8);
    EXPECT_EQ(claimIds(Lane::Live, 10), (Ids{"a1", "b1", "c1", "c2", "a2", "b2", "c3", "c4"}));
}

TEST_P(Fairness, ARequestUnderEightKilobytesCostsATurn) {
    NewJob large = plainJob("a1", "a");
    large.request = std::string(8'191, 'x');
    enqueue(large);
    enqueue(plainJob("a2", "a"));
    enqueueSome("b", 3, 1);
    EXPECT_EQ(claimIds(Lane::Live, 5), (Ids{"a1", "b1", "a2", "b2", "b3"}));
}

TEST_P(Fairness, NoRequestCostsMoreThanSixteenTurns) {
    enqueueSome("a", 2, 129);
    enqueueSome("b", 20, 1);
    const Ids ids = claimIds(Lane::Live, 22);
    ASSERT_EQ(ids.size(), 22u);
    EXPECT_EQ(ids[0], "a1");
    EXPECT_EQ(ids[17], "a2");
}

TEST_P(Fairness, WithinATenantDearJobsKeepTheirPlaces) {
    enqueue(jobOf(4, "a1", "a"));
    enqueue(jobOf(1, "a2", "a"));
    enqueue(jobOf(2, "a3", "a"));
    enqueue(jobOf(1, "a4", "a"));
    enqueueSome("b", 7, 1);
    EXPECT_EQ(claimIds(Lane::Live, 11),
              (Ids{"a1", "b1", "b2", "b3", "b4", "a2", "b5", "a3", "b6", "b7", "a4"}));
}

TEST_P(Fairness, WhoDidNotWaitHasSavedNothingUp) {
    enqueueSome("b", 12, 1);
    EXPECT_EQ(claimIds(Lane::Live, 8).size(), 8u);
    enqueueSome("a", 4, 1);
    EXPECT_EQ(claimIds(Lane::Live, 8), (Ids{"a1", "b9", "a2", "b10", "a3", "b11", "a4", "b12"}));
}

TEST_P(Fairness, ItDoesNotHelpToHaveOneJobAtATime) {
    enqueueSome("b", 6, 1);
    enqueue(jobOf(4, "a1", "a"));
    EXPECT_EQ(claimIds(Lane::Live, 2), (Ids{"a1", "b1"}));
    enqueue(jobOf(4, "a2", "a"));
    EXPECT_EQ(claimIds(Lane::Live, 6), (Ids{"b2", "b3", "b4", "a2", "b5", "b6"}));
}

TEST_P(Fairness, WhenNobodyHasWaitedAllBeginAnew) {
    enqueue(jobOf(16, "a1", "a"));
    EXPECT_EQ(claimIds(Lane::Live, 2), (Ids{"a1"}));
    enqueueSome("b", 2, 1);
    enqueue(jobOf(16, "a2", "a"));
    EXPECT_EQ(claimIds(Lane::Live, 4), (Ids{"a2", "b1", "b2"}));
}

TEST_P(Fairness, WhenNobodyHasWaitedAtAPriorityAllBeginAnewAtIt) {
    enqueue(jobOf(16, "a1", "a", 0));
    enqueue(plainJob("c", "c"));
    EXPECT_EQ(claimIds(Lane::Live, 2), (Ids{"a1", "c"}));
    enqueue(plainJob("b1", "b", 0));
    enqueue(jobOf(16, "a2", "a", 0));
    EXPECT_EQ(claimIds(Lane::Live, 3), (Ids{"a2", "b1"}));
}

TEST_P(Fairness, UrgentJobsDoNotPayForOthers) {
    enqueueSome("a", 2, 4);
    enqueueSome("b", 5, 1);
    EXPECT_EQ(claimIds(Lane::Live, 2), (Ids{"a1", "b1"}));
    enqueue(jobOf(16, "urgent1", "a", 0));
    enqueue(jobOf(16, "urgent2", "a", 0));
    EXPECT_EQ(claimIds(Lane::Live, 7), (Ids{"urgent1", "urgent2", "b2", "b3", "b4", "a2", "b5"}));
}

TEST_P(Fairness, ItemsOfBatchesCostWhatTheirRequestsDo) {
    NewBatch a = newBatch("A", 5, {plainItem("a1"), plainItem("a2")});
    NewBatch b = newBatch("B", 5, {plainItem("b1"), plainItem("b2"), plainItem("b3")});
    a.tenant = "a";
    b.tenant = "b";
    a.items[0].request = std::string(8'192, 'x');
    enqueue(a);
    enqueue(b);
    EXPECT_EQ(claimIds(Lane::Batch, 5), (Ids{"a1", "b1", "b2", "a2", "b3"}));
}

}  // namespace
}  // namespace stepper::store
