// Workers that die without a word.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Crashes : public StoreTest {
protected:
    void crashTimes(const std::string& id, int times) {
        for (int i = 0; i < times; ++i) {
            take(id, job(id).lane);
            crash();
        }
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Crashes, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Crashes, TheFirstCrashPutsTheJobBack) {
    enqueue(plainJob("a"));
    crashTimes("a", 1);
    EXPECT_EQ(state("a"), JobState::Ready);
    EXPECT_EQ(job("a").lane, Lane::Live);
    EXPECT_EQ(job("a").crashes, 1);
    EXPECT_EQ(job("a").attempts, 0);
}

TEST_P(Crashes, ReapSaysHowManyThereWere) {
    for (const auto* id : {"a", "b", "c"}) enqueue(plainJob(id));
    take("a");
    take("b");
    clock_.advance(kLease / 2);
    take("c");
    clock_.advance(kLease / 2 + 1ms);
    EXPECT_EQ(must(store_->reap()), 2);
    EXPECT_EQ(must(store_->reap()), 0);
    EXPECT_EQ(state("c"), JobState::Leased);
}

TEST_P(Crashes, FromTheSecondOnItIsASuspect) {
    enqueue(plainJob("a"));
    crashTimes("a", 2);
    EXPECT_EQ(state("a"), JobState::Ready);
    EXPECT_EQ(job("a").lane, Lane::Suspect);
    EXPECT_TRUE(claim(Lane::Live, 5).empty());
    crashTimes("a", 2);
    EXPECT_EQ(job("a").lane, Lane::Suspect);
    EXPECT_EQ(job("a").crashes, 4);
}

TEST_P(Crashes, TheFifthFailsIt) {
    enqueue(keyedJob("a", "key"));
    crashTimes("a", 5);
    EXPECT_EQ(state("a"), JobState::Failed);
    EXPECT_EQ(job("a").meta, "crashed");
    EXPECT_EQ(job("a").finished, clock_.wall());
    for (const Lane lane : {Lane::Live, Lane::Batch, Lane::Suspect}) EXPECT_TRUE(claim(lane, 5).empty());
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Created);
}

TEST_P(Crashes, AWorkerThatSpeaksClearsTheJob) {
    enqueue(plainJob("a"));
    crashTimes("a", 4);
    postpone(take("a", Lane::Suspect), 0ms);
    EXPECT_EQ(job("a").crashes, 0);
    EXPECT_EQ(job("a").lane, Lane::Live);
    crashTimes("a", 1);
    EXPECT_EQ(job("a").lane, Lane::Live);
}

TEST_P(Crashes, ASuspectItemReturnsToItsLane) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j")}));
    crashTimes("i", 2);
    EXPECT_EQ(job("i").lane, Lane::Suspect);
    EXPECT_EQ(job("batch").busy, 1);
    EXPECT_EQ(state("j"), JobState::Held);
    postpone(take("i", Lane::Suspect), 1s);
    EXPECT_EQ(job("i").lane, Lane::Batch);
    EXPECT_EQ(state("i"), JobState::Delayed);
    EXPECT_EQ(job("batch").busy, 1);
}

TEST_P(Crashes, AnItemThatFailsForGoodMakesRoomAndFailsItsFollowers) {
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), keyedItem("j", "key"), plainItem("l")}));
    crashTimes("i", 5);
    EXPECT_EQ(itemStates("batch"),
              (std::vector<JobState>{JobState::Failed, JobState::Failed, JobState::Ready}));
    EXPECT_EQ(must(store_->items("batch"))[1].meta, "crashed");
    EXPECT_EQ(job("batch").failed, 2);
    EXPECT_EQ(job("batch").busy, 1);
}

TEST_P(Crashes, TheLimitsAreTheConfiguredOnes) {
    open({.suspect_after = 1, .fail_after = 2, .failed_meta = "twice"});
    enqueue(plainJob("a"));
    crashTimes("a", 1);
    EXPECT_EQ(job("a").lane, Lane::Suspect);
    crashTimes("a", 1);
    EXPECT_EQ(state("a"), JobState::Failed);
    EXPECT_EQ(job("a").meta, "twice");
}

}  // namespace
}  // namespace stepper::store
