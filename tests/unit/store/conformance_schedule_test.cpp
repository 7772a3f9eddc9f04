// Jobs and batches that take part later: as if they came then.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

using Ids = std::vector<std::string>;

class Schedule : public StoreTest {
protected:
    static NewJob later(NewJob job, milliseconds start_in = 1h) {
        job.start_in = start_in;
        return job;
    }
    static NewBatch later(NewBatch batch, milliseconds start_in = 1h) {
        batch.start_in = start_in;
        return batch;
    }
    std::optional<milliseconds> nextDue(Lane lane) { return must(store_->claim(lane, 0, kLease)).next_due; }
    Ids overdueIds(milliseconds max_wait) {
        Ids out;
        for (const auto& job : must(store_->claimOverdue(10, kLease, max_wait)).jobs)
            out.push_back(job.lease.id);
        return out;
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Schedule, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Schedule, AJobWaitsForItsMoment) {
    EXPECT_EQ(enqueue(later(plainJob("later"))), How::Created);
    EXPECT_EQ(state("later"), JobState::Scheduled);
    EXPECT_EQ(job("later").run_at, clock_.wall() + 1h);
    EXPECT_EQ(must(store_->stats()).lanes[Lane::Live].delayed, 1);
    EXPECT_EQ(nextDue(Lane::Live), milliseconds{1h});
    clock_.advance(1h - 1ms);
    EXPECT_TRUE(claimIds(Lane::Live, 9).empty());
    events_.clear();
    clock_.advance(1ms);
    EXPECT_EQ(claimIds(Lane::Live, 9), Ids{"later"});
    EXPECT_TRUE(events_.saw("changed:later"));
    EXPECT_FALSE(job("later").run_at);
}

// Its time limit and how long it may wait count from then, also for who runs it.
TEST_P(Schedule, NoTimeCountsBeforeItsMoment) {
    NewJob limited = later(plainJob("limited"), 48h);
    limited.time_limit = 10s;
    enqueue(limited);
    clock_.advance(48h + 9s);
    EXPECT_TRUE(claimIds(Lane::Batch, 1).empty());
    EXPECT_TRUE(overdueIds(24h).empty());
    const auto claimed = claim(Lane::Live, 1);
    ASSERT_EQ(claimed.size(), 1u);
    EXPECT_EQ(claimed[0].created, clock_.now() - 9s);
    EXPECT_EQ(claimed[0].deadline, clock_.now() + 1s);
    EXPECT_EQ(must(store_->request("limited"))->time_limit, milliseconds{10s});
    EXPECT_EQ(must(store_->request("limited"))->start_in, milliseconds{0});
    postpone(claimed[0].lease, 0ms);
    EXPECT_EQ(must(store_->stats()).lanes[Lane::Live].oldest_ready, milliseconds{9s});
    EXPECT_TRUE(overdueIds(24h).empty());
    clock_.advance(1s);
    EXPECT_EQ(overdueIds(24h), Ids{"limited"});
}

TEST_P(Schedule, AfterItsMomentItMayWaitAsLongAsAnyOther) {
    enqueue(later(plainJob("later"), 48h));
    clock_.advance(48h);
    const Lease lease = take("later");
    postpone(lease, 0ms);
    clock_.advance(24h - 1ms);
    EXPECT_TRUE(overdueIds(24h).empty());
    clock_.advance(1ms);
    EXPECT_EQ(overdueIds(24h), Ids{"later"});
}

// Where all providers are out of quota nobody claims from the lane.
TEST_P(Schedule, ItIsOverdueAlsoWhereNobodyClaimsFromItsLane) {
    NewJob limited = later(plainJob("limited"));
    limited.time_limit = 10s;
    enqueue(limited);
    enqueue(later(newBatch("batch", 1, {plainItem("i")})));
    EXPECT_EQ(must(store_->claimOverdue(10, kLease, 24h)).next_due, milliseconds{1h});
    clock_.advance(1h + 9s);
    EXPECT_TRUE(overdueIds(24h).empty());
    clock_.advance(1s);
    EXPECT_EQ(overdueIds(24h), Ids{"limited"});
    clock_.advance(24h);
    EXPECT_EQ(overdueIds(24h), Ids{"i"});
}

// What is asked for at once must not wait for a job of tomorrow, nor be refused for it.
TEST_P(Schedule, BeforeItsMomentItHasNothingToDoWithOthers) {
    finishCached(
        [&] {
            enqueue(keyedJob("before", "key"));
            return take("before");
        }(),
        "cached");
    EXPECT_EQ(enqueue(later(keyedJob("a", "key"))), How::Created);
    EXPECT_EQ(enqueue(later(keyedJob("b", "key"), 2h)), How::Created);
    EXPECT_EQ(enqueue(keyedJob("now", "key")), How::Cached);
    clock_.advance(10min);
    EXPECT_EQ(enqueue(keyedJob("now", "key")), How::Created);
    EXPECT_EQ(claimIds(Lane::Live, 9), Ids{"now"});
}

TEST_P(Schedule, AtItsMomentItFollowsWhoMakesTheSame) {
    enqueue(later(keyedJob("later", "key")));
    clock_.advance(1h);
    enqueue(keyedJob("now", "key"));
    const Lease lease = take("now");
    EXPECT_EQ(state("later"), JobState::Following);
    finish(lease, "answer");
    EXPECT_EQ(state("later"), JobState::Done);
    EXPECT_EQ(job("later").result, "answer");
}

TEST_P(Schedule, AtItsMomentOthersFollowIt) {
    enqueue(later(keyedJob("first", "key")));
    enqueue(later(keyedJob("second", "key")));
    clock_.advance(1h);
    EXPECT_EQ(claimIds(Lane::Live, 9), Ids{"first"});
    EXPECT_EQ(state("second"), JobState::Following);
    EXPECT_EQ(enqueue(keyedJob("now", "key")), How::Coalesced);
}

TEST_P(Schedule, AtItsMomentAFreshAnswerWillDo) {
    NewJob anew = later(keyedJob("anew", "key"));
    anew.accept_cached = false;
    enqueue(later(keyedJob("later", "key")));
    enqueue(anew);
    clock_.advance(59min);
    enqueue(keyedJob("now", "key"));
    finishCached(take("now"), "cached", {2min, 3min});
    clock_.advance(1min);
    EXPECT_EQ(claimIds(Lane::Live, 9), Ids{"anew"});
    EXPECT_EQ(state("later"), JobState::Done);
    EXPECT_EQ(job("later").result, "cached");
}

TEST_P(Schedule, AnIdempotencyKeyHoldsFromTheBeginning) {
    NewJob keyed = later(plainJob("keyed"));
    keyed.idempotency_key = "key";
    keyed.request_digest = "digest";
    enqueue(keyed);
    NewJob repeat = plainJob("repeat");
    repeat.idempotency_key = "key";
    repeat.request_digest = "digest";
    repeat.only_repeat = true;
    EXPECT_EQ(must(store_->enqueue(repeat)).id, "keyed");
    repeat.idempotency_key = "other";
    EXPECT_EQ(enqueue(repeat), How::NotMade);
    EXPECT_FALSE(exists("repeat"));
    NewBatch batch = newBatch("batch", 1, {plainItem("i")});
    batch.idempotency_key = "other";
    batch.only_repeat = true;
    EXPECT_EQ(enqueue(batch), How::NotMade);
    EXPECT_FALSE(exists("batch"));
}

TEST_P(Schedule, ABatchStartsAsAWhole) {
    NewBatch batch = later(newBatch(
        "batch", 1, {keyedItem("i", "k1"), keyedItem("j", "k2"), keyedItem("k", "k2"), plainItem("l")}));
    batch.time_limit = 10s;
    enqueue(batch);
    EXPECT_EQ(state("batch"), JobState::Scheduled);
    EXPECT_EQ(enqueue(keyedJob("now", "k1")), How::Created);
    EXPECT_EQ(nextDue(Lane::Batch), milliseconds{1h});
    EXPECT_TRUE(claimIds(Lane::Batch, 9).empty());
    clock_.advance(1h);
    finishCached(take("now"), "cached");
    EXPECT_EQ(claimIds(Lane::Batch, 9), Ids{"j"});
    EXPECT_EQ(itemStates("batch"),
              (std::vector{JobState::Done, JobState::Leased, JobState::Following, JobState::Held}));
    EXPECT_EQ(state("batch"), JobState::Open);
    EXPECT_EQ(job("batch").done, 1);
    clock_.advance(9s);
    EXPECT_TRUE(overdueIds(24h).empty());
    clock_.advance(1s);
    EXPECT_EQ(overdueIds(24h), (Ids{"k", "l"}));
}

TEST_P(Schedule, ABatchThatTheCacheHoldsIsDoneAtItsMoment) {
    enqueue(later(newBatch("batch", 2, {keyedItem("i", "key"), keyedItem("j", "key")})));
    enqueue(keyedJob("now", "key"));
    finishCached(take("now"), "cached", {2h, 3h});
    clock_.advance(1h);
    EXPECT_TRUE(claimIds(Lane::Batch, 9).empty());
    EXPECT_EQ(state("batch"), JobState::Done);
    EXPECT_EQ(job("batch").done, 2);
}

TEST_P(Schedule, WhatIsScheduledCanBeCancelled) {
    enqueue(later(keyedJob("job", "key")));
    enqueue(later(newBatch("batch", 2, {keyedItem("i", "key"), plainItem("j")})));
    EXPECT_EQ(drop("job"), Dropped::How::Cancelled);
    EXPECT_EQ(drop("batch"), Dropped::How::Cancelled);
    EXPECT_EQ(job("batch").failed, 2);
    EXPECT_EQ(itemStates("batch"), (std::vector{JobState::Cancelled, JobState::Cancelled}));
    EXPECT_FALSE(job("batch").run_at);
    clock_.advance(2h);
    EXPECT_TRUE(claimIds(Lane::Live, 9).empty());
    EXPECT_TRUE(claimIds(Lane::Batch, 9).empty());
    EXPECT_EQ(nextDue(Lane::Live), std::nullopt);
}

// The moment was counted from the post, by a time that nobody can set; what is shown follows the wall clock.
TEST_P(Schedule, SettingTheWallClockMovesNoMoment) {
    enqueue(later(plainJob("later")));
    clock_.setWallBy(24h);
    EXPECT_TRUE(claimIds(Lane::Live, 9).empty());
    clock_.advance(1h);
    EXPECT_EQ(claimIds(Lane::Live, 9), Ids{"later"});
}

}  // namespace
}  // namespace stepper::store
