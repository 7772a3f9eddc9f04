// Kept answers: when they are given out, and when they go.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Cache : public StoreTest {
protected:
    // An answer under "key", fresh for one minute of two, made by `id`.
    void keep(const std::string& id, const std::string& result) {
        NewJob made = keyedJob(id, "key");
        made.accept_cached = false;
        EXPECT_EQ(enqueue(made), How::Created);
        EXPECT_TRUE(finishCached(take(id), result));
    }
    bool failRefresh(const std::string& id, milliseconds pause) {
        NewJob refresh = keyedJob(id, "key");
        refresh.accept_cached = false;
        EXPECT_EQ(enqueue(refresh), How::Created);
        Ending ending;
        ending.state = JobState::Failed;
        ending.refresh_pause = pause;
        return must(store_->finish(take(id), ending));
    }
    std::optional<CachedAnswer> answer() { return must(store_->cached("key")); }
};
INSTANTIATE_TEST_SUITE_P(Store, Cache, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Cache, AFreshAnswerMakesAJobUnnecessary) {
    keep("a", "text");
    const Enqueued second = must(store_->enqueue(keyedJob("b", "key")));
    EXPECT_EQ(second.how, How::Cached);
    EXPECT_EQ(second.id, "");
    ASSERT_TRUE(second.answer);
    EXPECT_EQ(second.answer->job_id, "a");
    EXPECT_EQ(second.answer->kind, "generate");
    EXPECT_EQ(second.answer->result, "text");
    EXPECT_EQ(second.answer->meta, "meta of text");
    EXPECT_EQ(second.answer->made_at, clock_.now());
    EXPECT_EQ(second.answer->fresh_until, clock_.now() + 60s);
    EXPECT_EQ(second.answer->expires, clock_.now() + 120s);
    EXPECT_FALSE(exists("b"));
}

TEST_P(Cache, AnAnswerThatIsNotFreshIsShownButNotGivenOut) {
    keep("a", "text");
    clock_.advance(59'999ms);
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Cached);
    clock_.advance(1ms);
    EXPECT_TRUE(answer());
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Created);
    clock_.advance(59'999ms);
    EXPECT_TRUE(answer());
    clock_.advance(1ms);
    EXPECT_FALSE(answer());
}

TEST_P(Cache, WhoDoesNotAcceptItGetsAJob) {
    keep("a", "text");
    NewJob refresh = keyedJob("b", "key");
    refresh.accept_cached = false;
    EXPECT_EQ(enqueue(refresh), How::Created);
    EXPECT_TRUE(answer());
}

TEST_P(Cache, AFreshAnswerIsGivenOutWhileItIsRefreshed) {
    keep("a", "text");
    NewJob refresh = keyedJob("b", "key");
    refresh.accept_cached = false;
    refresh.background = true;
    EXPECT_EQ(enqueue(refresh), How::Created);
    EXPECT_EQ(enqueue(keyedJob("c", "key")), How::Cached);
    EXPECT_EQ(job("b").wanted_by, 0);
}

TEST_P(Cache, ALaterAnswerReplacesTheEarlier) {
    keep("a", "old");
    failRefresh("b", 10s);
    clock_.advance(5s);
    keep("c", "new");
    ASSERT_TRUE(answer());
    EXPECT_EQ(answer()->result, "new");
    EXPECT_EQ(answer()->job_id, "c");
    EXPECT_EQ(answer()->made_at, clock_.now());
    EXPECT_EQ(answer()->refresh_after, SteadyTime{});
}

TEST_P(Cache, OnlyRealAnswersOfJobsWithAKeyAreKept) {
    enqueue(keyedJob("a", "key"));
    finish(take("a"));
    EXPECT_FALSE(answer());
    enqueue(keyedJob("b", "key"));
    fail(take("b"));
    EXPECT_FALSE(answer());
    enqueue(plainJob("c"));
    finishCached(take("c"), "text");
    EXPECT_FALSE(must(store_->cached("")));
    EXPECT_EQ(enqueue(plainJob("d")), How::Created);
}

TEST_P(Cache, AFailedRefreshPausesTheNextButLeavesTheAnswer) {
    keep("a", "text");
    EXPECT_EQ(answer()->refresh_after, SteadyTime{});
    EXPECT_TRUE(failRefresh("b", 10s));
    ASSERT_TRUE(answer());
    EXPECT_EQ(answer()->refresh_after, clock_.now() + 10s);
    EXPECT_EQ(answer()->result, "text");
    EXPECT_EQ(answer()->job_id, "a");
    EXPECT_EQ(enqueue(keyedJob("c", "key")), How::Cached);
}

TEST_P(Cache, AnEndThatAsksForNoPauseLeavesTheOneThereIs) {
    keep("a", "text");
    failRefresh("b", 0ms);
    EXPECT_EQ(answer()->refresh_after, SteadyTime{});
    failRefresh("c", 10s);
    const SteadyTime after = answer()->refresh_after;
    clock_.advance(1s);
    failRefresh("d", 0ms);
    EXPECT_EQ(answer()->refresh_after, after);
}

TEST_P(Cache, AFailureWithoutAnAnswerPausesNothing) {
    EXPECT_TRUE(failRefresh("a", 10s));
    EXPECT_FALSE(answer());
}

TEST_P(Cache, AnAnswerOutlivesItsJob) {
    keep("a", "text");
    EXPECT_EQ(drop("a"), Dropped::How::Purged);
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Cached);
}

TEST_P(Cache, AnAnswerIsForgottenByWhoeverMadeItOrByAnyone) {
    EXPECT_FALSE(must(store_->forget("key", "")));
    keep("a", "text");
    EXPECT_FALSE(must(store_->forget("key", "b")));
    EXPECT_TRUE(answer());
    EXPECT_TRUE(must(store_->forget("key", "a")));
    EXPECT_FALSE(answer());
    EXPECT_FALSE(must(store_->forget("key", "a")));
    keep("b", "text");
    EXPECT_TRUE(must(store_->forget("key", "")));
    EXPECT_EQ(enqueue(keyedJob("c", "key")), How::Created);
}

TEST_P(Cache, ExpiredAnswersAreSweptAndOthersStay) {
    for (int i = 0; i < 700; ++i) {
        const std::string id = std::to_string(i);
        enqueue(keyedJob(id, "key" + id));
        finishCached(take(id), "text", {0ms, 10s});
    }
    clock_.advance(11s);
    keep("stays", "text");
    EXPECT_TRUE(must(store_->sweep(milliseconds{1h})));
    sweepAll(1h);
    EXPECT_TRUE(answer());
    EXPECT_EQ(listed({}, 1000).size(), 701u);
}

TEST_P(Cache, FreshForNoTimeIsNeverGivenOut) {
    enqueue(keyedJob("a", "key"));
    finishCached(take("a"), "text", {0ms, 10s});
    EXPECT_TRUE(answer());
    EXPECT_EQ(enqueue(keyedJob("b", "key")), How::Created);
}

}  // namespace
}  // namespace stepper::store
