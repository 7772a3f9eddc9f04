// Idempotency keys: the same request gets the same job.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Idempotency : public StoreTest {
protected:
    static NewJob asked(NewJob job, const std::string& key, const std::string& digest) {
        job.idempotency_key = key;
        job.request_digest = digest;
        return job;
    }
    static NewBatch asked(NewBatch batch, const std::string& key, const std::string& digest) {
        batch.idempotency_key = key;
        batch.request_digest = digest;
        return batch;
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Idempotency, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Idempotency, TheSameRequestGetsTheSameJobForAsLongAsItIsThere) {
    EXPECT_EQ(enqueue(asked(plainJob("a"), "once", "x")), How::Created);
    const Enqueued repeat = must(store_->enqueue(asked(plainJob("b"), "once", "x")));
    EXPECT_EQ(repeat.how, How::Repeated);
    EXPECT_EQ(repeat.id, "a");
    EXPECT_EQ(job("a").wanted_by, 1);
    finish(take("a"));
    EXPECT_EQ(must(store_->enqueue(asked(plainJob("c"), "once", "x"))).id, "a");
    EXPECT_EQ(listed(), (std::vector<std::string>{"a"}));
}

TEST_P(Idempotency, AnotherRequestUnderTheKeyIsAConflict) {
    enqueue(asked(plainJob("a"), "once", "x"));
    const Enqueued conflict = must(store_->enqueue(asked(plainJob("b"), "once", "y")));
    EXPECT_EQ(conflict.how, How::Conflict);
    EXPECT_EQ(conflict.id, "");
    EXPECT_EQ(enqueue(asked(newBatch("c", 1, {plainItem("i")}), "once", "y")), How::Conflict);
    EXPECT_EQ(listed(), (std::vector<std::string>{"a"}));
}

TEST_P(Idempotency, WithoutAKeyNothingIsRemembered) {
    EXPECT_EQ(enqueue(asked(plainJob("a"), "", "x")), How::Created);
    EXPECT_EQ(enqueue(asked(plainJob("b"), "", "y")), How::Created);
}

TEST_P(Idempotency, AKnownIdComesBeforeAConflict) {
    enqueue(asked(plainJob("a"), "once", "x"));
    EXPECT_EQ(enqueue(asked(plainJob("a"), "once", "y")), How::Repeated);
}

TEST_P(Idempotency, ItComesBeforeFlightsAndAnswers) {
    enqueue(asked(keyedJob("a", "key"), "once", "x"));
    EXPECT_EQ(enqueue(asked(keyedJob("b", "key"), "once", "y")), How::Conflict);
    EXPECT_EQ(enqueue(asked(keyedJob("b", "key"), "once", "x")), How::Repeated);
    finishCached(take("a"), "text");
    EXPECT_EQ(enqueue(asked(keyedJob("b", "key"), "once", "y")), How::Conflict);
    EXPECT_EQ(must(store_->enqueue(asked(keyedJob("b", "key"), "once", "x"))).id, "a");
}

TEST_P(Idempotency, WhoeverJoinedAFlightRepeatsIntoIt) {
    enqueue(asked(keyedJob("a", "key"), "first", "x"));
    EXPECT_EQ(enqueue(asked(keyedJob("b", "key"), "second", "x")), How::Coalesced);
    EXPECT_EQ(job("a").wanted_by, 2);
    const Enqueued repeat = must(store_->enqueue(asked(keyedJob("c", "key"), "second", "x")));
    EXPECT_EQ(repeat.how, How::Repeated);
    EXPECT_EQ(repeat.id, "a");
    EXPECT_EQ(job("a").wanted_by, 2);
    EXPECT_EQ(enqueue(asked(keyedJob("c", "key"), "second", "y")), How::Conflict);
}

TEST_P(Idempotency, AFirstUseThatWasAnsweredAtOnceIsRememberedToo) {
    enqueue(keyedJob("a", "key"));
    finishCached(take("a"), "text", {10s, 20s});
    EXPECT_EQ(enqueue(asked(keyedJob("b", "key"), "once", "x")), How::Cached);
    EXPECT_EQ(enqueue(asked(plainJob("c"), "once", "y")), How::Conflict);
    EXPECT_EQ(enqueue(asked(newBatch("d", 1, {plainItem("i")}), "once", "y")), How::Conflict);
    // It is the same answer whatever became of the cached one.
    clock_.advance(1min);
    sweepAll(5min);
    EXPECT_FALSE(must(store_->cached("key")));
    for (int i = 0; i < 2; ++i) {
        const Enqueued again = must(store_->enqueue(asked(keyedJob("b", "key"), "once", "x")));
        EXPECT_EQ(again.how, How::Repeated);
        EXPECT_EQ(again.id, "");
        ASSERT_TRUE(again.answer);
        EXPECT_EQ(again.answer->result, "text");
        EXPECT_EQ(again.answer->meta, "meta of text");
        EXPECT_EQ(again.answer->job_id, "a");
        EXPECT_EQ(again.answer->kind, "generate");
        EXPECT_EQ(again.answer->made_at, clock_.now() - 1min);
    }
    EXPECT_EQ(listed(), (std::vector<std::string>{"a"}));
}

TEST_P(Idempotency, SuchAKeyIsKeptAsLongAsAFinalJob) {
    enqueue(keyedJob("a", "key"));
    finishCached(take("a"), "text", {1h, 2h});
    EXPECT_EQ(enqueue(asked(keyedJob("b", "key"), "once", "x")), How::Cached);
    clock_.advance(1min);
    sweepAll(1min);
    EXPECT_EQ(enqueue(asked(plainJob("c"), "once", "y")), How::Conflict);
    clock_.advance(1ms);
    sweepAll(1min);
    EXPECT_EQ(enqueue(asked(plainJob("c"), "once", "y")), How::Created);
}

TEST_P(Idempotency, WhoFollowsAFlightRepeatsIntoItsOwnJob) {
    enqueue(keyedJob("a", "key"));
    NewJob limited = asked(keyedJob("b", "key"), "once", "x");
    limited.time_limit = 10s;
    EXPECT_EQ(enqueue(limited), How::Coalesced);
    limited.id = "c";
    EXPECT_EQ(must(store_->enqueue(limited)).id, "b");
    EXPECT_EQ(must(store_->stats()).following, 1);
}

TEST_P(Idempotency, KeysGoWithTheirJob) {
    enqueue(asked(keyedJob("a", "key"), "first", "x"));
    enqueue(asked(keyedJob("b", "key"), "second", "x"));
    finish(take("a"));
    drop("a", true);
    EXPECT_EQ(enqueue(asked(plainJob("c"), "first", "y")), How::Created);
    EXPECT_EQ(enqueue(asked(plainJob("d"), "second", "y")), How::Created);
    finish(take("c"));
    clock_.advance(1h);
    sweepAll(1min);
    EXPECT_EQ(enqueue(asked(plainJob("e"), "first", "z")), How::Created);
}

TEST_P(Idempotency, BatchesHaveTheSameRules) {
    EXPECT_EQ(enqueue(asked(newBatch("a", 1, {plainItem("i")}), "once", "x")), How::Created);
    EXPECT_EQ(enqueue(newBatch("a", 1, {plainItem("j")})), How::Repeated);
    const Enqueued repeat =
        must(store_->enqueueBatch(asked(newBatch("b", 1, {plainItem("j")}), "once", "x")));
    EXPECT_EQ(repeat.how, How::Repeated);
    EXPECT_EQ(repeat.id, "a");
    EXPECT_FALSE(exists("j"));
    EXPECT_EQ(enqueue(asked(newBatch("b", 1, {plainItem("j")}), "once", "y")), How::Conflict);
    EXPECT_FALSE(exists("j"));
    drop("a");
    EXPECT_EQ(enqueue(asked(newBatch("b", 1, {plainItem("j")}), "once", "x")), How::Repeated);
    drop("a");
    EXPECT_EQ(enqueue(asked(newBatch("b", 1, {plainItem("j")}), "once", "y")), How::Created);
}

}  // namespace
}  // namespace stepper::store
