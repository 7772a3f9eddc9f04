// Clients that no longer want a job or a batch.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Drops : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Store, Drops, testing::ValuesIn(storeKinds()), kindName);

using DropHow = Dropped::How;
using States = std::vector<JobState>;
constexpr auto Ready = JobState::Ready, Held = JobState::Held, Open = JobState::Open, Done = JobState::Done,
               Failed = JobState::Failed, Cancelled = JobState::Cancelled;

TEST_P(Drops, TheLastClientCancelsALiveJobAndPurgesAFinalOne) {
    enqueue(plainJob("a"));
    EXPECT_EQ(drop("a"), DropHow::Cancelled);
    EXPECT_EQ(state("a"), Cancelled);
    EXPECT_EQ(job("a").finished, clock_.wall());
    EXPECT_TRUE(claim(Lane::Live, 5).empty());
    EXPECT_EQ(drop("a"), DropHow::Purged);
    EXPECT_FALSE(exists("a"));
    EXPECT_FALSE(must(store_->request("a")));
    EXPECT_EQ(drop("a"), DropHow::NotFound);
    EXPECT_EQ(enqueue(plainJob("a")), How::Created);
}

TEST_P(Drops, EveryLiveStateCanBeCancelled) {
    for (const auto* id : {"ready", "delayed", "leased"}) enqueue(plainJob(id));
    const Lease ready = take("ready");
    postpone(take("delayed"), 1h);
    take("leased");
    postpone(ready, 0ms);
    for (const auto* id : {"ready", "delayed", "leased"}) {
        EXPECT_EQ(drop(id), DropHow::Cancelled);
        EXPECT_EQ(state(id), Cancelled);
        EXPECT_FALSE(job(id).run_at);
    }
    clock_.advance(2h);
    EXPECT_EQ(must(store_->reap()), 0);
    const Claims claims = must(store_->claim(Lane::Live, 5, kLease));
    EXPECT_TRUE(claims.jobs.empty());
    EXPECT_FALSE(claims.next_due);
}

TEST_P(Drops, AJobGoesOnWhileOthersWantIt) {
    enqueue(keyedJob("a", "key"));
    enqueue(keyedJob("b", "key"));
    enqueue(keyedJob("c", "key"));
    const Dropped first = must(store_->drop("a", false));
    EXPECT_EQ(first.how, DropHow::StillWanted);
    EXPECT_EQ(first.wanted_by, 2);
    EXPECT_EQ(must(store_->drop("a", false)).wanted_by, 1);
    EXPECT_EQ(state("a"), Ready);
    EXPECT_EQ(drop("a"), DropHow::Cancelled);
}

TEST_P(Drops, AFinalJobStaysWhileOthersWantIt) {
    enqueue(keyedJob("a", "key"));
    enqueue(keyedJob("b", "key"));
    finish(take("a"), "text");
    EXPECT_EQ(drop("a"), DropHow::StillWanted);
    EXPECT_EQ(job("a").result, "text");
    EXPECT_EQ(drop("a"), DropHow::Purged);
    EXPECT_FALSE(exists("a"));
}

TEST_P(Drops, ForceAsksNobody) {
    enqueue(keyedJob("a", "key"));
    enqueue(keyedJob("b", "key"));
    EXPECT_EQ(drop("a", true), DropHow::Cancelled);
    EXPECT_EQ(drop("a", true), DropHow::Purged);
    EXPECT_FALSE(exists("a"));
}

TEST_P(Drops, ABackgroundJobIsNobodysAndCanBeCancelled) {
    NewJob refresh = keyedJob("a", "key");
    refresh.background = true;
    enqueue(refresh);
    EXPECT_EQ(drop("a"), DropHow::Cancelled);
    EXPECT_EQ(job("a").wanted_by, 0);
}

TEST_P(Drops, ABatchIsCancelledWithItsLiveItems) {
    enqueue(newBatch("batch", 3,
                     {plainItem("done"), plainItem("failed"), plainItem("leased"), plainItem("ready"),
                      plainItem("delayed"), plainItem("held")}));
    finish(take("done", Lane::Batch));
    fail(take("failed", Lane::Batch));
    const Lease leased = take("leased", Lane::Batch), ready = take("ready", Lane::Batch);
    postpone(take("delayed", Lane::Batch), 1h);
    postpone(ready, 0ms);
    EXPECT_EQ(state("held"), Held);
    EXPECT_EQ(drop("batch"), DropHow::Cancelled);
    EXPECT_EQ(state("batch"), Cancelled);
    EXPECT_EQ(job("batch").finished, clock_.wall());
    EXPECT_EQ(itemStates("batch"), (States{Done, Failed, Cancelled, Cancelled, Cancelled, Cancelled}));
    EXPECT_EQ(job("batch").done, 1);
    EXPECT_EQ(job("batch").failed, 5);
    EXPECT_EQ(job("batch").busy, 0);
    EXPECT_FALSE(finish(leased));
    clock_.advance(2h);
    EXPECT_TRUE(claim(Lane::Batch, 5).empty());
    const Stats s = must(store_->stats());
    EXPECT_EQ(s.held + s.following + s.lanes[Lane::Batch].ready + s.lanes[Lane::Batch].delayed +
                  s.lanes[Lane::Batch].leased,
              0);
}

TEST_P(Drops, AFinalBatchIsPurgedWithItsItems) {
    enqueue(newBatch("batch", 2, {plainItem("i"), plainItem("j")}));
    finish(take("i", Lane::Batch));
    finish(take("j", Lane::Batch));
    EXPECT_EQ(drop("batch"), DropHow::Purged);
    for (const auto* id : {"batch", "i", "j"}) EXPECT_FALSE(exists(id));
    EXPECT_TRUE(must(store_->items("batch")).empty());
    EXPECT_EQ(enqueue(newBatch("batch", 2, {plainItem("i"), plainItem("j")})), How::Created);
}

TEST_P(Drops, AFinalItemStaysWithItsBatch) {
    enqueue(newBatch("batch", 2, {plainItem("i"), plainItem("j")}));
    finish(take("i", Lane::Batch));
    const std::string before = text(job("batch"));
    EXPECT_EQ(drop("i"), DropHow::StillWanted);
    EXPECT_EQ(drop("i", true), DropHow::StillWanted);
    EXPECT_EQ(itemStates("batch"), (States{Done, Ready}));
    EXPECT_EQ(text(job("batch")), before);
}

TEST_P(Drops, AnItemThatOthersWaitForGoesOnWithoutItsBatch) {
    enqueue(newBatch("batch", 2, {keyedItem("i", "key"), plainItem("j")}));
    const Lease i = take("i", Lane::Batch);
    enqueue(keyedJob("a", "key"));
    EXPECT_EQ(drop("batch"), DropHow::Cancelled);
    EXPECT_EQ(state("j"), Cancelled);
    EXPECT_EQ(state("i"), JobState::Leased);
    EXPECT_EQ(job("i").wanted_by, 1);
    EXPECT_EQ(job("batch").failed, 2);
    EXPECT_EQ(job("batch").busy, 0);
    const std::string before = text(job("batch"));
    EXPECT_TRUE(heartbeat(i, 50));
    EXPECT_TRUE(finish(i, "text"));
    EXPECT_EQ(text(job("batch")), before);
    EXPECT_EQ(drop("batch"), DropHow::Purged);
    EXPECT_EQ(job("i").result, "text");
    EXPECT_EQ(listed(), (std::vector<std::string>{"i"}));
    EXPECT_EQ(drop("i"), DropHow::Purged);
    EXPECT_FALSE(exists("i"));
}

TEST_P(Drops, AFinalItemThatOthersWantOutlivesItsBatch) {
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), plainItem("j")}));
    enqueue(keyedJob("a", "key"));
    finish(take("i"), "text");
    finish(take("j", Lane::Batch));
    EXPECT_EQ(state("batch"), Done);
    EXPECT_EQ(drop("batch"), DropHow::Purged);
    EXPECT_FALSE(exists("j"));
    EXPECT_EQ(job("i").result, "text");
    EXPECT_EQ(job("i").wanted_by, 1);
    EXPECT_EQ(drop("i"), DropHow::Purged);
}

TEST_P(Drops, AClientOfAnItemDropsOnlyItsOwnShare) {
    enqueue(newBatch("batch", 1, {keyedItem("i", "key")}));
    enqueue(keyedJob("a", "key"));
    EXPECT_EQ(drop("i"), DropHow::StillWanted);
    EXPECT_EQ(state("i"), Ready);
    EXPECT_EQ(state("batch"), Open);
    finish(take("i"));
    EXPECT_EQ(state("batch"), Done);
}

TEST_P(Drops, ForceOnABatchDoesNotReachWhatOthersWaitFor) {
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), plainItem("j")}));
    enqueue(keyedJob("a", "key"));
    EXPECT_EQ(drop("batch", true), DropHow::Cancelled);
    EXPECT_EQ(state("i"), Ready);
    EXPECT_EQ(state("j"), Cancelled);
    finish(take("i"));
    EXPECT_EQ(state("i"), Done);
}

}  // namespace
}  // namespace stepper::store
