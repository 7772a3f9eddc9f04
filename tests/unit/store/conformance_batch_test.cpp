// Batches: room for their items, counters, followers, the end.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Batches : public StoreTest {
protected:
    void expectCounts(int done, int failed, int busy, const std::string& id = "batch") {
        const Job b = job(id);
        EXPECT_EQ(b.done, done);
        EXPECT_EQ(b.failed, failed);
        EXPECT_EQ(b.busy, busy);
    }
    void keep(const std::string& key, const std::string& result) {
        enqueue(keyedJob("made " + key, key));
        EXPECT_TRUE(finishCached(take("made " + key), result));
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Batches, testing::ValuesIn(storeKinds()), kindName);

using States = std::vector<JobState>;
constexpr auto Ready = JobState::Ready, Held = JobState::Held, Following = JobState::Following,
               Leased = JobState::Leased, Delayed = JobState::Delayed, Open = JobState::Open,
               Done = JobState::Done, Failed = JobState::Failed, Cancelled = JobState::Cancelled;

TEST_P(Batches, ANewBatchIsOpenAndLetsInAsManyAsItMay) {
    NewBatch batch = newBatch("batch", 2, {plainItem("i"), plainItem("j"), plainItem("l")});
    batch.tenant = "acme";
    batch.meta = "said of it";
    batch.priority = 7;
    batch.time_limit = 10s;
    const Enqueued added = must(store_->enqueueBatch(batch));
    EXPECT_EQ(added.how, How::Created);
    EXPECT_EQ(added.id, "batch");
    EXPECT_EQ(state("batch"), Open);
    EXPECT_TRUE(job("batch").isBatch());
    EXPECT_EQ(job("batch").meta, "said of it");
    EXPECT_EQ(job("batch").total, 3);
    EXPECT_EQ(job("batch").wanted_by, 1);
    expectCounts(0, 0, 2);
    EXPECT_EQ(itemStates("batch"), (States{Ready, Ready, Held}));
    EXPECT_TRUE(claim(Lane::Live, 5).empty());
    const auto jobs = claim(Lane::Batch, 5);
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].lease.id, "i");
    EXPECT_EQ(jobs[0].request, "request of i");
    EXPECT_EQ(jobs[0].kind, "generate");
    EXPECT_EQ(jobs[0].tenant, "acme");
    EXPECT_EQ(jobs[0].deadline, clock_.now() + 10s);
    EXPECT_EQ(job("i").priority, 7);
}

TEST_P(Batches, AnItemMayHaveAPriorityAndATimeLimitOfItsOwn) {
    NewBatch batch =
        newBatch("batch", 1, {plainItem("i"), plainItem("j"), plainItem("urgent"), plainItem("l")});
    batch.priority = 6;
    batch.time_limit = 10s;
    batch.items[2].priority = 2;
    batch.items[2].time_limit = 3s;
    enqueue(batch);
    // Whoever is urgent is let in first, and taken first.
    EXPECT_EQ(itemStates("batch"), (States{Held, Held, Ready, Held}));
    EXPECT_EQ(job("urgent").priority, 2);
    EXPECT_EQ(job("j").priority, 6);
    const auto jobs = claim(Lane::Batch, 5);
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_EQ(jobs[0].deadline, clock_.now() + 3s);
    finish(jobs[0].lease);
    EXPECT_EQ(itemStates("batch"), (States{Ready, Held, Done, Held}));
    EXPECT_EQ(must(store_->claim(Lane::Batch, 1, kLease)).jobs.at(0).deadline, clock_.now() + 10s);
}

TEST_P(Batches, ItemsAreShownInTheirOrderWithLabelsAndResults) {
    enqueue(newBatch("batch", 3, {plainItem("z"), plainItem("a"), plainItem("m")}));
    const Lease z = take("z", Lane::Batch), a = take("a", Lane::Batch);
    fail(a, "no luck");
    finish(z, "text");
    const auto items = must(store_->items("batch"));
    ASSERT_EQ(items.size(), 3u);
    EXPECT_EQ(items[0].label, "label of z");
    EXPECT_EQ(items[0].state, Done);
    EXPECT_EQ(items[0].result, "text");
    EXPECT_EQ(items[0].meta, "meta of text");
    EXPECT_EQ(items[1].label, "label of a");
    EXPECT_EQ(items[1].state, Failed);
    EXPECT_EQ(items[1].meta, "no luck");
    EXPECT_EQ(items[2].state, Ready);
}

// With the fallback in place of its answer it is done, and yet to be told apart.
TEST_P(Batches, ASubstitutedItemIsDone) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j")}));
    Ending substituted;
    substituted.state = JobState::Substituted;
    substituted.result = "instead";
    substituted.meta = "why";
    ASSERT_TRUE(must(store_->finish(take("i", Lane::Batch), substituted)));
    expectCounts(1, 0, 1);
    finish(take("j", Lane::Batch));
    EXPECT_EQ(state("batch"), Done);
    EXPECT_EQ(itemStates("batch"), (States{JobState::Substituted, Done}));
    EXPECT_EQ(must(store_->items("batch"))[0].result, "instead");

    enqueue(plainJob("alone"));
    ASSERT_TRUE(must(store_->finish(take("alone"), substituted)));
    const auto listed = must(store_->list({.states = {JobState::Substituted}}));
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].id, "alone");
    EXPECT_EQ(job("alone").result, "instead");
    clock_.advance(2h);
    must(store_->sweep(milliseconds{1h}));
    EXPECT_FALSE(exists("alone"));
}

TEST_P(Batches, AnEndedItemLetsTheNextIn) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j"), plainItem("l"), plainItem("m")}));
    finish(take("i", Lane::Batch));
    EXPECT_EQ(itemStates("batch"), (States{Done, Ready, Held, Held}));
    expectCounts(1, 0, 1);
    fail(take("j", Lane::Batch));
    EXPECT_EQ(itemStates("batch"), (States{Done, Failed, Ready, Held}));
    expectCounts(1, 1, 1);
    drop("l");
    EXPECT_EQ(itemStates("batch"), (States{Done, Failed, Cancelled, Ready}));
    expectCounts(1, 2, 1);
    EXPECT_EQ(state("batch"), Open);
    clock_.advance(5s);
    finish(take("m", Lane::Batch));
    expectCounts(2, 2, 0);
    EXPECT_EQ(state("batch"), Done);
    EXPECT_EQ(job("batch").finished, clock_.wall());
}

TEST_P(Batches, APostponedItemKeepsItsRoom) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j")}));
    postpone(take("i", Lane::Batch), 1h);
    EXPECT_EQ(itemStates("batch"), (States{Delayed, Held}));
    expectCounts(0, 0, 1);
    EXPECT_TRUE(claim(Lane::Batch, 5).empty());
}

TEST_P(Batches, AHeldItemThatIsCancelledMakesNoRoom) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j"), plainItem("l")}));
    drop("j");
    EXPECT_EQ(itemStates("batch"), (States{Ready, Cancelled, Held}));
    expectCounts(0, 1, 1);
}

TEST_P(Batches, ABatchOfFailedItemsIsDone) {
    enqueue(newBatch("batch", 2, {plainItem("i"), plainItem("j")}));
    fail(take("i", Lane::Batch));
    fail(take("j", Lane::Batch));
    EXPECT_EQ(state("batch"), Done);
    expectCounts(0, 2, 0);
}

TEST_P(Batches, EveryEndOfAnItemRaisesTheVersion) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("j"), keyedItem("l", "k"), keyedItem("m", "k")}));
    int64_t last = job("batch").version;
    const auto grew = [&] {
        const int64_t before = std::exchange(last, job("batch").version);
        return last > before;
    };
    finish(take("i", Lane::Batch));
    EXPECT_TRUE(grew());
    drop("j");
    EXPECT_TRUE(grew());
    finish(take("l", Lane::Batch));
    EXPECT_TRUE(grew());
}

TEST_P(Batches, FreshAnswersMakeItemsDoneAtOnce) {
    keep("key", "text");
    NewItem refused = keyedItem("l", "key");
    refused.accept_cached = false;
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), plainItem("j"), refused}));
    EXPECT_EQ(itemStates("batch"), (States{Done, Ready, Held}));
    expectCounts(1, 0, 1);
    EXPECT_EQ(must(store_->items("batch"))[0].result, "text");
    EXPECT_EQ(must(store_->items("batch"))[0].meta, "meta of text");
    EXPECT_EQ(job("i").finished, clock_.wall());
    clock_.advance(60s);
    enqueue(newBatch("later", 5, {keyedItem("stale", "key")}));
    EXPECT_EQ(itemStates("later"), (States{Following}));
}

TEST_P(Batches, ABatchOfAnswersIsDoneAtOnce) {
    keep("key", "text");
    EXPECT_EQ(enqueue(newBatch("batch", 1, {keyedItem("i", "key"), keyedItem("j", "key")})), How::Created);
    EXPECT_EQ(state("batch"), Done);
    EXPECT_EQ(job("batch").finished, clock_.wall());
    expectCounts(2, 0, 0);
}

TEST_P(Batches, AnItemFollowsTheJobThatMakesItsAnswer) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), plainItem("j"), keyedItem("l", "key")}));
    EXPECT_EQ(itemStates("batch"), (States{Following, Ready, Following}));
    expectCounts(0, 0, 1);
    EXPECT_EQ(job("a").wanted_by, 1);
    finish(take("a"), "text");
    EXPECT_EQ(itemStates("batch"), (States{Done, Ready, Done}));
    expectCounts(2, 0, 1);
    EXPECT_EQ(must(store_->items("batch"))[2].result, "text");
    EXPECT_EQ(must(store_->items("batch"))[2].meta, "meta of text");
    EXPECT_EQ(state("batch"), Open);
    finish(take("j", Lane::Batch));
    EXPECT_EQ(state("batch"), Done);
}

TEST_P(Batches, AnItemFailsWithTheJobItFollows) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "key")}));
    fail(take("a"), "no luck");
    EXPECT_EQ(state("i"), Failed);
    EXPECT_EQ(job("i").meta, "no luck");
    EXPECT_EQ(state("batch"), Done);
    expectCounts(0, 1, 0);
}

TEST_P(Batches, EqualItemsOfABatchAreMadeOnce) {
    enqueue(newBatch("batch", 2, {keyedItem("i", "k"), keyedItem("j", "k"), plainItem("l"), plainItem("m")}));
    EXPECT_EQ(itemStates("batch"), (States{Ready, Following, Ready, Held}));
    finish(take("i", Lane::Batch));
    EXPECT_EQ(itemStates("batch"), (States{Done, Done, Ready, Ready}));
    expectCounts(2, 0, 2);
}

TEST_P(Batches, AnItemFollowsOneThatIsItselfHeld) {
    enqueue(newBatch("first", 1, {plainItem("i"), keyedItem("j", "key")}));
    enqueue(newBatch("second", 1, {keyedItem("l", "key")}));
    EXPECT_EQ(itemStates("second"), (States{Following}));
    expectCounts(0, 0, 0, "second");
    finish(take("i", Lane::Batch));
    finish(take("j", Lane::Batch), "text");
    EXPECT_EQ(state("second"), Done);
    EXPECT_EQ(job("l").result, "text");
}

TEST_P(Batches, AFollowerThatIsCancelledLeavesTheOthersAlone) {
    enqueue(keyedJob("a", "key"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "key"), keyedItem("j", "key")}));
    EXPECT_EQ(drop("i"), Dropped::How::Cancelled);
    EXPECT_EQ(itemStates("batch"), (States{Cancelled, Following}));
    EXPECT_EQ(state("a"), Ready);
    finish(take("a"));
    EXPECT_EQ(itemStates("batch"), (States{Cancelled, Done}));
    expectCounts(1, 1, 0);
    EXPECT_EQ(state("batch"), Done);
}

TEST_P(Batches, ABatchIsStoredWholeOrNotAtAll) {
    enqueue(plainJob("taken"));
    const auto refused = store_->enqueueBatch(
        newBatch("batch", 1, {keyedItem("i", "key"), plainItem("taken"), plainItem("j")}));
    EXPECT_FALSE(refused.ok());
    EXPECT_FALSE(exists("batch"));
    EXPECT_FALSE(exists("i"));
    EXPECT_TRUE(claim(Lane::Batch, 5).empty());
    EXPECT_EQ(enqueue(keyedJob("a", "key")), How::Created);
}

TEST_P(Batches, ManyItemsPassThroughAtTheBatchsOwnPace) {
    std::vector<NewItem> items;
    for (int i = 0; i < 60; ++i) items.push_back(plainItem("item" + std::to_string(i)));
    enqueue(newBatch("batch", 4, std::move(items)));
    for (int finished = 0; finished < 60;) {
        const auto jobs = claim(Lane::Batch, 100);
        ASSERT_EQ(jobs.size(), static_cast<size_t>(std::min(4, 60 - finished)));
        for (const Claimed& c : jobs) {
            EXPECT_EQ(c.lease.id, "item" + std::to_string(finished));
            finish(c.lease);
            ++finished;
            expectCounts(finished, 0, std::min(4, 60 - finished));
        }
    }
    EXPECT_EQ(state("batch"), Done);
    EXPECT_EQ(listed(), (std::vector<std::string>{"batch"}));
}

TEST_P(Batches, LeasedItemsAreBusy) {
    enqueue(newBatch("batch", 2, {plainItem("i"), plainItem("j"), plainItem("l")}));
    const Lease i = take("i", Lane::Batch);
    expectCounts(0, 0, 2);
    EXPECT_EQ(itemStates("batch"), (States{Leased, Ready, Held}));
    crash();
    expectCounts(0, 0, 2);
    EXPECT_FALSE(finish(i));
    expectCounts(0, 0, 2);
}

}  // namespace
}  // namespace stepper::store
