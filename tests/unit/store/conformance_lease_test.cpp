// Leases, their fences, and giving them back.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Leases : public StoreTest {
protected:
    // Everything a worker could write is refused and changes nothing.
    void expectPowerless(const Lease& lease) {
        const std::string before = text(job(lease.id));
        EXPECT_FALSE(heartbeat(lease, 99));
        EXPECT_FALSE(postpone(lease, 1s, true));
        EXPECT_FALSE(finishCached(lease, "zombie"));
        EXPECT_FALSE(fail(lease, "zombie"));
        EXPECT_EQ(text(job(lease.id)), before);
        EXPECT_FALSE(must(store_->cached("key")));
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Leases, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Leases, AJobHasOneWorkerAtATime) {
    enqueue(plainJob("a"));
    take("a");
    EXPECT_EQ(state("a"), JobState::Leased);
    EXPECT_TRUE(claim(Lane::Live, 5).empty());
}

TEST_P(Leases, AClaimIsBounded) {
    for (const auto* id : {"a", "b", "c"}) enqueue(plainJob(id));
    EXPECT_TRUE(claim(Lane::Live, 0).empty());
    EXPECT_EQ(claimIds(Lane::Live, 2), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(claimIds(Lane::Live, 2), (std::vector<std::string>{"c"}));
}

TEST_P(Leases, TheFenceGrowsWithEveryLease) {
    enqueue(plainJob("a"));
    int64_t last = job("a").fence;
    for (int round = 0; round < 3; ++round) {
        const Lease lease = take("a");
        EXPECT_GT(lease.fence, last);
        EXPECT_EQ(job("a").fence, lease.fence);
        last = lease.fence;
        EXPECT_TRUE(postpone(lease, 0ms));
    }
}

TEST_P(Leases, AReapedWorkerIsPowerless) {
    enqueue(keyedJob("a", "key"));
    const Lease lease = take("a");
    crash();
    EXPECT_GT(job("a").fence, lease.fence);
    expectPowerless(lease);
}

TEST_P(Leases, AWorkerWhoseJobAnotherTookIsPowerless) {
    enqueue(keyedJob("a", "key"));
    const Lease old = take("a");
    crash();
    const Lease current = take("a");
    expectPowerless(old);
    EXPECT_TRUE(heartbeat(current, 10));
    EXPECT_TRUE(finish(current, "right"));
    EXPECT_EQ(job("a").result, "right");
}

TEST_P(Leases, AWorkerThatGaveTheJobBackIsPowerless) {
    enqueue(keyedJob("a", "key"));
    const Lease lease = take("a");
    postpone(lease, 0ms);
    expectPowerless(lease);
    const Lease next = take("a");
    postpone(next, 1s);
    expectPowerless(lease);
    expectPowerless(next);
}

TEST_P(Leases, AWorkerWhoseJobWasCancelledIsPowerless) {
    enqueue(keyedJob("a", "key"));
    const Lease lease = take("a");
    EXPECT_EQ(drop("a"), Dropped::How::Cancelled);
    EXPECT_GT(job("a").fence, lease.fence);
    expectPowerless(lease);
}

TEST_P(Leases, AGuessedFenceIsRefused) {
    enqueue(keyedJob("a", "key"));
    const Lease lease = take("a");
    expectPowerless({"a", lease.fence + 1});
    expectPowerless({"a", 0});
    EXPECT_TRUE(finish(lease));
}

TEST_P(Leases, AFinalJobIsNeverWrittenAgain) {
    for (const auto* id : {"done", "failed", "cancelled"}) enqueue(plainJob(id));
    const Lease done = take("done"), failed = take("failed"), cancelled = take("cancelled");
    finish(done);
    fail(failed);
    drop("cancelled");
    clock_.advance(1h);
    for (const Lease& lease : {done, failed, cancelled}) {
        expectPowerless(lease);
        expectPowerless({lease.id, job(lease.id).fence});
    }
    EXPECT_EQ(must(store_->reap()), 0);
    EXPECT_TRUE(claim(Lane::Live, 5).empty());
}

TEST_P(Leases, ALeaseLastsAsLongAsItIsExtended) {
    enqueue(plainJob("a"));
    const Lease lease = take("a");
    for (int beat = 0; beat < 3; ++beat) {
        clock_.advance(kLease - 1ms);
        EXPECT_EQ(must(store_->reap()), 0);
        EXPECT_TRUE(heartbeat(lease));
    }
    clock_.advance(kLease + 1ms);
    EXPECT_EQ(must(store_->reap()), 1);
    EXPECT_FALSE(heartbeat(lease));
}

TEST_P(Leases, AWorkerThatIsLateButNotReapedKeepsItsJob) {
    enqueue(plainJob("a"));
    enqueue(plainJob("b"));
    const Lease a = take("a"), b = take("b");
    clock_.advance(kLease + 1ms);
    EXPECT_TRUE(finish(a));
    EXPECT_TRUE(heartbeat(b));
    EXPECT_EQ(must(store_->reap()), 0);
    EXPECT_EQ(state("b"), JobState::Leased);
}

TEST_P(Leases, AHeartbeatNamesExactlyTheLostOnes) {
    for (const auto* id : {"a", "b", "c"}) enqueue(plainJob(id));
    const Lease a = take("a"), b = take("b"), c = take("c");
    drop("b");
    const std::vector<Beat> beats{{a, 10}, {b, 20}, {c, 30}, {{"none", 1}, 40}};
    EXPECT_EQ(must(store_->heartbeat(beats, kLease)), (std::vector<std::string>{"b", "none"}));
    EXPECT_EQ(job("a").progress, 10);
    EXPECT_EQ(job("b").progress, 0);
    EXPECT_EQ(job("c").progress, 30);
    EXPECT_TRUE(must(store_->heartbeat({}, kLease)).empty());
}

TEST_P(Leases, AnUnchangedProgressChangesNothing) {
    enqueue(plainJob("a"));
    const Lease lease = take("a");
    heartbeat(lease, 30);
    const int64_t version = job("a").version;
    heartbeat(lease, 30);
    EXPECT_EQ(job("a").version, version);
}

TEST_P(Leases, APostponedJobIsReadyAtItsTime) {
    enqueue(plainJob("a"));
    postpone(take("a"), 10s, true);
    EXPECT_EQ(state("a"), JobState::Delayed);
    EXPECT_EQ(job("a").run_at, clock_.wall() + 10s);
    EXPECT_EQ(job("a").attempts, 1);
    clock_.advance(9999ms);
    const Claims early = must(store_->claim(Lane::Live, 1, kLease));
    EXPECT_TRUE(early.jobs.empty());
    EXPECT_EQ(early.next_due, 1ms);
    clock_.advance(1ms);
    const Claims due = must(store_->claim(Lane::Live, 1, kLease));
    ASSERT_EQ(due.jobs.size(), 1u);
    EXPECT_EQ(due.jobs[0].attempts, 1);
    EXPECT_FALSE(due.next_due);
    EXPECT_FALSE(job("a").run_at);
}

TEST_P(Leases, TheNextDueJobIsTheSoonestOfTheLane) {
    enqueue(newBatch("batch", 1, {plainItem("item")}));
    for (const auto* id : {"a", "b"}) enqueue(plainJob(id));
    postpone(take("item", Lane::Batch), 1s);
    postpone(take("a"), 30s);
    postpone(take("b"), 20s);
    EXPECT_EQ(must(store_->claim(Lane::Live, 1, kLease)).next_due, 20s);
    EXPECT_EQ(must(store_->claim(Lane::Batch, 1, kLease)).next_due, 1s);
    EXPECT_FALSE(must(store_->claim(Lane::Suspect, 1, kLease)).next_due);
}

TEST_P(Leases, ADueJobOfFullClaimStaysInItsPlace) {
    enqueue(plainJob("old"));
    enqueue(plainJob("young"));
    postpone(take("old"), 1s);
    EXPECT_EQ(claimIds(Lane::Live, 1), (std::vector<std::string>{"young"}));
    enqueue(plainJob("younger"));
    clock_.advance(1s);
    EXPECT_EQ(claimIds(Lane::Live, 5), (std::vector<std::string>{"old", "younger"}));
}

TEST_P(Leases, APostponementKeepsOrReplacesWhatHappenedSoFar) {
    enqueue(plainJob("a"));
    must(store_->postpone(take("a"), {0ms, true, "first"}));
    EXPECT_EQ(job("a").meta, "first");
    must(store_->postpone(take("a"), {0ms, false, ""}));
    EXPECT_EQ(job("a").meta, "first");
    EXPECT_EQ(job("a").attempts, 1);
    must(store_->postpone(take("a"), {0ms, true, "second"}));
    EXPECT_EQ(job("a").meta, "second");
    EXPECT_EQ(job("a").attempts, 2);
}

}  // namespace
}  // namespace stepper::store
