// Final jobs that are to be run again: which they are, and that each is once.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

using Ids = std::vector<std::string>;

class Retry : public StoreTest {
protected:
    Ids retryable(RetryFilter filter) { return must(store_->retryable(filter)); }
    void failNew(const std::string& id, const std::string& tenant = "") {
        enqueue(plainJob(id, tenant));
        fail(take(id));
    }
    Enqueued again(const std::string& of, const std::string& as, bool once) {
        NewJob job = plainJob(as);
        job.again = {of, once};
        return must(store_->enqueue(job));
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Retry, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Retry, ThoseThatEndedSoInThatTimeOfThatTenant) {
    failNew("old", "a");
    clock_.advance(2h);
    failNew("mine", "a");
    clock_.advance(1s);
    failNew("other", "b");
    enqueue(plainJob("cancelled", "a"));
    drop("cancelled");
    enqueue(plainJob("done", "a"));
    finish(take("done"));
    enqueue(plainJob("live", "a"));
    EXPECT_EQ(retryable({{JobState::Failed}}), (Ids{"old", "mine", "other"}));
    EXPECT_EQ(retryable({{JobState::Failed}, 1h}), (Ids{"mine", "other"}));
    EXPECT_EQ(retryable({{JobState::Failed}, 1h, "a"}), (Ids{"mine"}));
    EXPECT_EQ(retryable({{JobState::Failed}, {}, {}, 2}), (Ids{"old", "mine"}));
    EXPECT_EQ(retryable({{JobState::Cancelled}}), (Ids{"cancelled"}));
    EXPECT_EQ(retryable({{JobState::Cancelled, JobState::Failed}, {}, "a"}),
              (Ids{"old", "mine", "cancelled"}));
}

// Else who runs all again goes round for ever when they fail again.
TEST_P(Retry, WhatEndsLaterIsNoneOfThem) {
    failNew("first");
    clock_.advance(1min);
    failNew("second");
    RetryFilter filter{{JobState::Failed}};
    filter.not_within = 1min;
    EXPECT_EQ(retryable(filter), Ids{"first"});
    filter.within = 1h;
    EXPECT_EQ(retryable(filter), Ids{"first"});
    filter.within = 30s;
    EXPECT_TRUE(retryable(filter).empty());
}

TEST_P(Retry, ABatchOfWhichAnItemFailedIsOneOfThem) {
    enqueue(newBatch("good", 1, {plainItem("g")}));
    finish(take("g", Lane::Batch));
    enqueue(newBatch("bad", 2, {plainItem("i"), plainItem("j")}));
    fail(take("i", Lane::Batch));
    finish(take("j", Lane::Batch));
    EXPECT_EQ(retryable({{JobState::Failed}}), Ids{"bad"});
    EXPECT_TRUE(retryable({{JobState::Substituted, JobState::Cancelled}}).empty());
    const auto stored = must(store_->batch("bad"));
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->batch.concurrency, 2);
    EXPECT_EQ(stored->batch.items[1].label, plainItem("j").label);
    EXPECT_EQ(stored->batch.items[1].request, plainItem("j").request);
    EXPECT_EQ(stored->states, (std::vector{JobState::Failed, JobState::Done}));
    EXPECT_FALSE(must(store_->batch("i")));
    EXPECT_FALSE(must(store_->batch("nobody")));
}

// Retrying twice must not run everything twice.
TEST_P(Retry, EachIsRunAgainOnce) {
    failNew("failed");
    EXPECT_EQ(again("failed", "first", true).how, How::Created);
    EXPECT_EQ(job("failed").retried_as, "first");
    EXPECT_EQ(job("failed").state, JobState::Failed);
    EXPECT_TRUE(retryable({{JobState::Failed}}).empty());
    const auto second = again("failed", "second", true);
    EXPECT_EQ(second.how, How::Repeated);
    EXPECT_EQ(second.id, "first");
    EXPECT_FALSE(exists("second"));
    // Who names it may have it run as often as he likes.
    EXPECT_EQ(again("failed", "third", false).how, How::Created);
    EXPECT_EQ(job("failed").retried_as, "third");
    fail(take("first"));
    EXPECT_EQ(retryable({{JobState::Failed}}), Ids{"first"});
}

TEST_P(Retry, IsNotedAfterTheNewJobIsGone) {
    failNew("failed");
    again("failed", "again", true);
    finish(take("again"));
    clock_.advance(2h);
    while (must(store_->sweep({1h, 24h}))) {
    }
    EXPECT_FALSE(exists("again"));
    EXPECT_TRUE(retryable({{JobState::Failed}}).empty());
    EXPECT_EQ(again("failed", "once more", true).how, How::Repeated);
}

TEST_P(Retry, ABatchIsRunAgainOnce) {
    enqueue(newBatch("batch", 1, {plainItem("i")}));
    fail(take("i", Lane::Batch));
    for (const auto* id : {"first", "second"}) {
        NewBatch next = newBatch(id, 1, {plainItem(std::string("item of ") + id)});
        next.again = {"batch", true};
        EXPECT_EQ(must(store_->enqueueBatch(next)).id, "first");
    }
    EXPECT_EQ(job("batch").retried_as, "first");
    EXPECT_FALSE(exists("second"));
}

TEST_P(Retry, AListGoesOnBehindAPlace) {
    for (const auto* id : {"a", "b", "c", "d", "e"}) enqueue(plainJob(id));
    Ids seen;
    ListFilter filter{{}, 2};
    for (auto page = must(store_->list(filter)); !page.empty(); page = must(store_->list(filter))) {
        for (const auto& job : page) seen.push_back(job.id);
        filter.before = page.back().place;
        // What comes meanwhile moves nothing.
        enqueue(plainJob("later" + std::to_string(seen.size())));
    }
    EXPECT_EQ(seen, (Ids{"e", "d", "c", "b", "a"}));
}

}  // namespace
}  // namespace stepper::store
