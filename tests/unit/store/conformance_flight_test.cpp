// Single flight: jobs for the same answer become one.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Flight : public StoreTest {
protected:
    static NewJob limited(const std::string& id, milliseconds limit) {
        NewJob job = keyedJob(id, "key");
        job.time_limit = limit;
        return job;
    }
    static NewJob background(const std::string& id, const std::string& key) {
        NewJob job = keyedJob(id, key);
        job.background = true;
        job.accept_cached = false;
        job.priority = kBackgroundPriority;
        return job;
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Flight, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Flight, ASecondJobForAKeyJoinsTheFirst) {
    EXPECT_EQ(enqueue(keyedJob("a", "key")), How::Created);
    const Enqueued second = must(store_->enqueue(keyedJob("b", "key")));
    EXPECT_EQ(second.how, How::Coalesced);
    EXPECT_EQ(second.id, "a");
    EXPECT_FALSE(exists("b"));
    EXPECT_EQ(job("a").wanted_by, 2);
    EXPECT_EQ(claimIds(Lane::Live, 5), (std::vector<std::string>{"a"}));
}

TEST_P(Flight, AFlightIsJoinedInEveryLiveState) {
    enqueue(keyedJob("a", "key"));
    const Lease lease = take("a");
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Coalesced);
    postpone(lease, 1h);
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Coalesced);
    EXPECT_EQ(state("a"), JobState::Delayed);
    clock_.advance(1h);
    take("a");
    crash();
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Coalesced);
    take("a");
    crash();
    EXPECT_EQ(job("a").lane, Lane::Suspect);
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Coalesced);
    EXPECT_EQ(job("a").lane, Lane::Suspect);
    EXPECT_EQ(job("a").wanted_by, 5);
}

TEST_P(Flight, TheNextJobFliesOnceTheLastHasLanded) {
    enqueue(keyedJob("a", "key"));
    fail(take("a"));
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Created);
    drop("b");
    EXPECT_EQ(enqueue(keyedJob("c", "key")), How::Created);
    finish(take("c"));
    EXPECT_EQ(enqueue(keyedJob("d", "key")), How::Created);
}

TEST_P(Flight, JobsWithoutAKeyFlyAlone) {
    EXPECT_EQ(enqueue(plainJob("a")), How::Created);
    EXPECT_EQ(enqueue(plainJob("b")), How::Created);
    EXPECT_EQ(enqueue(newBatch("batch", 2, {plainItem("i"), plainItem("j")})), How::Created);
    EXPECT_EQ(itemStates("batch"), (std::vector<JobState>{JobState::Ready, JobState::Ready}));
}

TEST_P(Flight, WhoeverJoinsMakesItAtLeastAsUrgent) {
    NewJob slow = keyedJob("a", "key"), urgent = slow, idle = slow;
    slow.priority = 7;
    urgent.id = "b";
    urgent.priority = 2;
    idle.id = "c";
    idle.priority = 9;
    enqueue(slow);
    enqueue(urgent);
    EXPECT_EQ(job("a").priority, 2);
    enqueue(idle);
    EXPECT_EQ(job("a").priority, 2);
    enqueue(plainJob("d", "", 3));
    EXPECT_EQ(claimIds(Lane::Live, 5), (std::vector<std::string>{"a", "d"}));
}

TEST_P(Flight, ARefreshAskedForByAClientJoinsToo) {
    enqueue(keyedJob("a", "key"));
    NewJob refresh = keyedJob("b", "key");
    refresh.accept_cached = false;
    EXPECT_EQ(enqueue(refresh), How::Coalesced);
    EXPECT_EQ(job("a").wanted_by, 2);
}

TEST_P(Flight, ABackgroundJobThatJoinsChangesNothing) {
    enqueue(keyedJob("a", "key"));
    const std::string before = text(job("a"));
    NewJob refresh = background("b", "key");
    refresh.priority = 0;
    const Enqueued joined = must(store_->enqueue(refresh));
    EXPECT_EQ(joined.how, How::Coalesced);
    EXPECT_EQ(joined.id, "a");
    EXPECT_EQ(text(job("a")), before);
    EXPECT_EQ(job("a").wanted_by, 1);
}

TEST_P(Flight, NobodyWantsABackgroundJobUntilSomebodyJoins) {
    EXPECT_EQ(enqueue(background("a", "key")), How::Created);
    EXPECT_EQ(job("a").wanted_by, 0);
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Coalesced);
    EXPECT_EQ(job("a").wanted_by, 1);
    EXPECT_EQ(job("a").priority, kNormalPriority);
    const auto jobs = claim(Lane::Live, 1);
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_FALSE(jobs[0].background);
}

// A flight is one call, but everybody's patience is its own: who started it neither cuts the others' time
// short nor makes them wait. (mem9-ai/drive9#493, golang/go singleflight with a caller's context)
TEST_P(Flight, WhoHasATimeLimitFollowsWithItsOwn) {
    enqueue(limited("short", 1s));
    const Enqueued joined = must(store_->enqueue(limited("long", 60s)));
    EXPECT_EQ(joined.how, How::Coalesced);
    EXPECT_EQ(joined.id, "long");
    EXPECT_EQ(state("long"), JobState::Following);
    EXPECT_EQ(job("short").wanted_by, 1);
    EXPECT_EQ(job("long").wanted_by, 1);
    EXPECT_EQ(claimIds(Lane::Live, 5), (std::vector<std::string>{"short"}));
}

TEST_P(Flight, OneAnswerIsEverybodys) {
    enqueue(keyedJob("a", "key"));
    enqueue(limited("b", 5s));
    enqueue(limited("c", 60s));
    finishCached(take("a"), "text");
    for (const auto* id : {"a", "b", "c"}) {
        EXPECT_EQ(state(id), JobState::Done) << id;
        EXPECT_EQ(job(id).result, "text") << id;
    }
    EXPECT_EQ(enqueue(limited("d", 5s)), How::Cached);
}

TEST_P(Flight, AFailureOfTheRequestIsEverybodys) {
    enqueue(limited("a", 10s));
    enqueue(limited("b", 60s));
    fail(take("a"), "refused");
    EXPECT_EQ(state("b"), JobState::Failed);
    EXPECT_EQ(job("b").meta, "refused");
}

TEST_P(Flight, WhoseTimeIsUpEndsAlone) {
    enqueue(limited("a", 1s));
    enqueue(limited("b", 60s));
    enqueue(keyedJob("c", "key"));
    EXPECT_EQ(state("c"), JobState::Following);
    clock_.advance(1s);
    const Lease a = take("a");
    Ending late;
    late.state = JobState::Failed;
    late.meta = "too late";
    late.alone = true;
    EXPECT_TRUE(must(store_->finish(a, late)));
    EXPECT_EQ(state("a"), JobState::Failed);
    // The others go on, as one flight.
    EXPECT_EQ(state("b"), JobState::Ready);
    EXPECT_EQ(job("b").meta, "");
    EXPECT_EQ(state("c"), JobState::Following);
    EXPECT_EQ(enqueue(limited("d", 9s)), How::Coalesced);
    EXPECT_EQ(state("d"), JobState::Following);
    finishCached(take("b"), "text");
    EXPECT_EQ(job("c").result, "text");
    EXPECT_EQ(job("d").result, "text");
}

TEST_P(Flight, AFollowerWhoseTimeIsUpLeavesTheFlightInTheAir) {
    enqueue(keyedJob("a", "key"));
    enqueue(limited("b", 1s));
    const Lease a = take("a");
    clock_.advance(999ms);
    EXPECT_EQ(must(store_->claimOverdue(9, kLease, 1h)).next_due, 1ms);
    clock_.advance(1ms);
    const auto overdue = must(store_->claimOverdue(9, kLease, 1h)).jobs;
    ASSERT_EQ(overdue.size(), 1u);
    EXPECT_EQ(overdue[0].lease.id, "b");
    EXPECT_TRUE(fail(overdue[0].lease, "too late"));
    EXPECT_EQ(state("a"), JobState::Leased);
    EXPECT_EQ(enqueue(keyedJob("c", "key")), How::Coalesced);
    EXPECT_TRUE(finishCached(a, "text"));
    EXPECT_EQ(job("b").meta, "too late");
}

TEST_P(Flight, WhoDropsTheLeaderLeavesItToItsFollowers) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j")}));
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("other", 1, {keyedItem("l", "key")}));
    enqueue(limited("b", 60s));
    drop("a");
    // One that somebody waits for goes before an item that came earlier.
    EXPECT_EQ(state("b"), JobState::Ready);
    EXPECT_EQ(state("l"), JobState::Following);
    drop("b");
    EXPECT_EQ(state("l"), JobState::Ready);
    EXPECT_EQ(job("other").busy, 1);
}

TEST_P(Flight, AFollowerThatIsDroppedChangesNothing) {
    enqueue(limited("a", 60s));
    enqueue(limited("b", 60s));
    const std::string before = text(job("a"));
    EXPECT_EQ(drop("b"), Dropped::How::Cancelled);
    EXPECT_EQ(text(job("a")), before);
    EXPECT_EQ(job("a").wanted_by, 1);
    EXPECT_TRUE(finish(take("a")));
    EXPECT_EQ(state("b"), JobState::Cancelled);
}

TEST_P(Flight, WhoeverFollowsMakesItAtLeastAsUrgent) {
    enqueue(newBatch("batch", 1, {plainItem("i"), keyedItem("j", "key")}));
    NewJob urgent = limited("a", 60s);
    urgent.priority = 2;
    enqueue(urgent);
    EXPECT_EQ(state("j"), JobState::Ready);
    EXPECT_EQ(job("j").priority, 2);
    EXPECT_EQ(job("j").lane, Lane::Live);
    EXPECT_EQ(job("batch").busy, 2);
    finish(take("j"), "text");
    EXPECT_EQ(job("a").result, "text");
}

TEST_P(Flight, ARefreshThatFailsIsNotTheFailureOfThoseWhoFollowIt) {
    enqueue(background("a", "key"));
    enqueue(limited("b", 60s));
    Ending quietly;
    quietly.state = JobState::Failed;
    quietly.alone = true;
    EXPECT_TRUE(must(store_->finish(take("a"), quietly)));
    EXPECT_EQ(state("b"), JobState::Ready);
    EXPECT_FALSE(claim(Lane::Live, 1).at(0).background);
}

TEST_P(Flight, ALiveJobPullsAnItemOutOfItsBatch) {
    enqueue(newBatch("batch", 1, {plainItem("i"), keyedItem("j", "key"), plainItem("l")}));
    EXPECT_EQ(state("j"), JobState::Held);
    const Enqueued joined = must(store_->enqueue(keyedJob("a", "key")));
    EXPECT_EQ(joined.how, How::Coalesced);
    EXPECT_EQ(joined.id, "j");
    EXPECT_EQ(state("j"), JobState::Ready);
    EXPECT_EQ(job("j").lane, Lane::Live);
    EXPECT_EQ(job("batch").busy, 2);
    const Lease lease = take("j");
    postpone(lease, 0ms);
    EXPECT_EQ(job("j").lane, Lane::Live);
    finish(take("j"));
    // It came on top, so its end makes no room.
    EXPECT_EQ(itemStates("batch"), (std::vector<JobState>{JobState::Ready, JobState::Done, JobState::Held}));
    EXPECT_EQ(job("batch").busy, 1);
    EXPECT_EQ(job("batch").done, 1);
}

TEST_P(Flight, ALeasedItemStaysWhereItsWorkerIs) {
    enqueue(newBatch("batch", 1, {keyedItem("i", "key")}));
    const Lease lease = take("i", Lane::Batch);
    EXPECT_EQ(enqueue(keyedJob("a", "key")), How::Coalesced);
    EXPECT_EQ(state("i"), JobState::Leased);
    EXPECT_EQ(job("i").wanted_by, 2);
    EXPECT_TRUE(finish(lease));
    EXPECT_EQ(state("batch"), JobState::Done);
}

}  // namespace
}  // namespace stepper::store
