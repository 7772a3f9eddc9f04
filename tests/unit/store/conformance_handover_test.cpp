// A cancelled job that others follow hands its flight on.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Handover : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Store, Handover, testing::ValuesIn(storeKinds()), kindName);

using States = std::vector<JobState>;
constexpr auto Ready = JobState::Ready, Held = JobState::Held, Following = JobState::Following,
               Leased = JobState::Leased, Done = JobState::Done, Cancelled = JobState::Cancelled;

TEST_P(Handover, TheFirstFollowerFliesAndTheOthersFollowIt) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 2, {keyedItem("i", "key"), keyedItem("j", "key"), keyedItem("l", "key")}));
    EXPECT_EQ(drop("a"), Dropped::How::Cancelled);
    EXPECT_EQ(itemStates("batch"), (States{Ready, Following, Following}));
    EXPECT_EQ(job("batch").busy, 1);
    EXPECT_EQ(must(store_->enqueue(keyedJob("b", "key"))).id, "i");
    finish(take("i"), "text");
    EXPECT_EQ(itemStates("batch"), (States{Done, Done, Done}));
    EXPECT_EQ(job("l").result, "text");
    EXPECT_EQ(job("batch").done, 3);
    EXPECT_EQ(job("batch").busy, 0);
    EXPECT_EQ(state("batch"), Done);
}

TEST_P(Handover, TheHeirIsHeldUntilItsBatchHasRoom) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {plainItem("i"), keyedItem("j", "key")}));
    drop("a");
    EXPECT_EQ(itemStates("batch"), (States{Ready, Held}));
    EXPECT_EQ(job("batch").busy, 1);
    EXPECT_EQ(enqueue(newBatch("other", 1, {keyedItem("l", "key")})), How::Created);
    EXPECT_EQ(state("l"), Following);
    finish(take("i", Lane::Batch));
    EXPECT_EQ(itemStates("batch"), (States{Done, Ready}));
    finish(take("j", Lane::Batch));
    EXPECT_EQ(state("l"), Done);
}

TEST_P(Handover, ALeasedLeaderLosesItsLease) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "key")}));
    const Lease a = take("a");
    drop("a");
    EXPECT_FALSE(finishCached(a, "zombie"));
    EXPECT_EQ(state("i"), Ready);
    EXPECT_FALSE(must(store_->cached("key")));
    finishCached(take("i", Lane::Batch), "text");
    EXPECT_EQ(must(store_->cached("key"))->job_id, "i");
}

TEST_P(Handover, WithinABatchTheRoomGoesToTheFirstThatWaits) {
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), plainItem("j"), keyedItem("l", "key")}));
    EXPECT_EQ(itemStates("batch"), (States{Ready, Held, Following}));
    drop("i");
    EXPECT_EQ(itemStates("batch"), (States{Cancelled, Ready, Held}));
    EXPECT_EQ(job("batch").busy, 1);
    EXPECT_EQ(job("batch").failed, 1);
    finish(take("j", Lane::Batch));
    EXPECT_EQ(itemStates("batch"), (States{Cancelled, Done, Ready}));
    finish(take("l", Lane::Batch));
    EXPECT_EQ(state("batch"), Done);
}

TEST_P(Handover, ADroppedBatchHandsOnToAnother) {
    enqueue(newBatch("first", 1, {keyedItem("i", "key"), keyedItem("j", "key")}));
    enqueue(newBatch("second", 1, {plainItem("l"), keyedItem("m", "key"), keyedItem("n", "key")}));
    take("i", Lane::Batch);
    drop("first");
    EXPECT_EQ(itemStates("first"), (States{Cancelled, Cancelled}));
    EXPECT_EQ(itemStates("second"), (States{Ready, Held, Following}));
    finish(take("l", Lane::Batch));
    finish(take("m", Lane::Batch));
    EXPECT_EQ(itemStates("second"), (States{Done, Done, Done}));
}

TEST_P(Handover, ADroppedBatchTakesItsFollowersWithIt) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "key")}));
    drop("batch");
    EXPECT_EQ(state("i"), Cancelled);
    EXPECT_EQ(state("a"), Ready);
    drop("a");
    EXPECT_EQ(state("i"), Cancelled);
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Created);
}

TEST_P(Handover, AnItemThatGoesOnAloneKeepsItsFollowers) {
    enqueue(newBatch("first", 1, {keyedItem("i", "key")}));
    enqueue(newBatch("second", 1, {keyedItem("j", "key")}));
    const Lease i = take("i", Lane::Batch);
    enqueue(keyedJob("a", "key"));
    drop("first");
    EXPECT_EQ(state("i"), Leased);
    EXPECT_EQ(state("j"), Following);
    finish(i, "text");
    EXPECT_EQ(job("j").result, "text");
    EXPECT_EQ(state("second"), Done);
}

TEST_P(Handover, AnHeirHandsOnToo) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), keyedItem("j", "key")}));
    drop("a");
    drop("i");
    EXPECT_EQ(itemStates("batch"), (States{Cancelled, Ready}));
    drop("j");
    EXPECT_EQ(state("batch"), Done);
    EXPECT_EQ(job("batch").failed, 2);
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Created);
}

}  // namespace
}  // namespace stepper::store
