// What the listener is told.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Events : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Store, Events, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Events, ANewJobIsWork) {
    enqueue(plainJob("a"));
    EXPECT_TRUE(events_.saw("work:live"));
    enqueue(newBatch("batch", 1, {plainItem("i")}));
    EXPECT_TRUE(events_.saw("work:batch"));
}

TEST_P(Events, APostponedJobIsWorkNowOrLater) {
    enqueue(plainJob("a"));
    Lease lease = take("a");
    events_.clear();
    postpone(lease, 0ms);
    EXPECT_TRUE(events_.saw("work:live"));
    lease = take("a");
    events_.clear();
    postpone(lease, 1h);
    EXPECT_TRUE(events_.saw("work:live"));
}

TEST_P(Events, AnEndIsAChange) {
    for (const auto* id : {"done", "failed", "cancelled"}) enqueue(plainJob(id));
    const Lease done = take("done"), failed = take("failed");
    events_.clear();
    finish(done);
    EXPECT_TRUE(events_.saw("changed:done"));
    fail(failed);
    EXPECT_TRUE(events_.saw("changed:failed"));
    drop("cancelled");
    EXPECT_TRUE(events_.saw("changed:cancelled"));
}

TEST_P(Events, ProgressIsAChange) {
    enqueue(plainJob("a"));
    const Lease lease = take("a");
    events_.clear();
    heartbeat(lease, 30);
    EXPECT_TRUE(events_.saw("changed:a"));
}

TEST_P(Events, TheEndOfAnItemChangesItsBatchAndMakesWork) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j"), keyedItem("l", "key")}));
    const Lease i = take("i", Lane::Batch), a = take("a");
    events_.clear();
    finish(i);
    EXPECT_TRUE(events_.saw("changed:batch"));
    EXPECT_TRUE(events_.saw("work:batch"));
    events_.clear();
    finish(a);
    EXPECT_TRUE(events_.saw("changed:l"));
    EXPECT_TRUE(events_.saw("changed:batch"));
}

TEST_P(Events, TheWorkerOfACancelledJobIsTold) {
    enqueue(plainJob("a"));
    enqueue(newBatch("batch", 1, {plainItem("i")}));
    take("a");
    take("i", Lane::Batch);
    drop("a");
    EXPECT_TRUE(events_.saw("revoked:a"));
    drop("batch");
    EXPECT_TRUE(events_.saw("revoked:i"));
    EXPECT_TRUE(events_.saw("changed:batch"));
}

TEST_P(Events, AReapedJobIsWorkOfItsNewLane) {
    enqueue(plainJob("a"));
    take("a");
    events_.clear();
    crash();
    EXPECT_TRUE(events_.saw("revoked:a"));
    EXPECT_TRUE(events_.saw("work:live"));
    take("a");
    events_.clear();
    crash();
    EXPECT_TRUE(events_.saw("work:suspect"));
}

TEST_P(Events, AnItemThatBecomesUrgentIsLiveWork) {
    enqueue(newBatch("batch", 1, {plainItem("i"), keyedItem("j", "key")}));
    events_.clear();
    enqueue(keyedJob("a", "key"));
    EXPECT_TRUE(events_.saw("work:live"));
}

TEST_P(Events, AnAnswerThatComesOrGoesIsTold) {
    enqueue(keyedJob("a", "key"));
    finishCached(take("a"), "text");
    EXPECT_TRUE(events_.saw("answer:key"));
    events_.clear();
    must(store_->forget("key", ""));
    EXPECT_TRUE(events_.saw("answer:key"));
}

TEST_P(Events, AnHeirIsWork) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "key")}));
    events_.clear();
    drop("a");
    EXPECT_TRUE(events_.saw("work:batch"));
    EXPECT_TRUE(events_.saw("changed:a"));
}

TEST_P(Events, NobodyNeedsToListen) {
    store_->setListener(nullptr);
    enqueue(plainJob("a"));
    finish(take("a"));
    EXPECT_EQ(state("a"), JobState::Done);
}

}  // namespace
}  // namespace stepper::store
