// What goes by itself, and when.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Retention : public StoreTest {};
INSTANTIATE_TEST_SUITE_P(Store, Retention, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Retention, FinalJobsGoSomeTimeAfterTheirEnd) {
    for (const auto* id : {"done", "failed", "cancelled", "young", "live"}) enqueue(plainJob(id));
    const Lease done = take("done"), failed = take("failed");
    take("cancelled");
    const Lease young = take("young");
    finish(done);
    fail(failed);
    drop("cancelled");
    clock_.advance(50min);
    finish(young);
    clock_.advance(11min);
    sweepAll(1h);
    EXPECT_EQ(listed(), (std::vector<std::string>{"live", "young"}));
    clock_.advance(24h);
    sweepAll(1h);
    EXPECT_EQ(listed(), (std::vector<std::string>{"live"}));
}

TEST_P(Retention, WhatFailedStaysLonger) {
    for (const auto* id : {"done", "failed", "cancelled"}) enqueue(plainJob(id));
    const Lease done = take("done"), failed = take("failed");
    finish(done);
    fail(failed);
    drop("cancelled");
    enqueue(newBatch("good", 1, {plainItem("g")}));
    finish(take("g", Lane::Batch));
    enqueue(newBatch("bad", 2, {plainItem("i"), plainItem("j")}));
    fail(take("i", Lane::Batch));
    finish(take("j", Lane::Batch));
    const auto sweep = [&] {
        while (must(store_->sweep({1h, 24h}))) {
        }
        return listed();
    };
    clock_.advance(61min);
    EXPECT_EQ(sweep(), (std::vector<std::string>{"bad", "failed"}));
    clock_.advance(22h + 58min);
    EXPECT_EQ(sweep(), (std::vector<std::string>{"bad", "failed"}));
    EXPECT_TRUE(exists("i"));
    clock_.advance(2min);
    EXPECT_TRUE(sweep().empty());
    EXPECT_FALSE(exists("i"));
}

TEST_P(Retention, ItemsGoWithTheirBatchAndNotBefore) {
    enqueue(newBatch("batch", 2, {plainItem("i"), plainItem("j")}));
    finish(take("i", Lane::Batch));
    clock_.advance(3h);
    sweepAll(1h);
    EXPECT_TRUE(exists("i"));
    EXPECT_EQ(job("batch").done, 1);
    finish(take("j", Lane::Batch));
    clock_.advance(59min);
    sweepAll(1h);
    EXPECT_TRUE(exists("i"));
    clock_.advance(2min);
    sweepAll(1h);
    for (const auto* id : {"batch", "i", "j"}) EXPECT_FALSE(exists(id));
}

TEST_P(Retention, WhoStillWantsAFinalJobDoesNotKeepItForever) {
    enqueue(keyedJob("a", "key"));
    enqueue(keyedJob("b", "key"));
    finish(take("a"));
    clock_.advance(2h);
    sweepAll(1h);
    EXPECT_FALSE(exists("a"));
}

TEST_P(Retention, OneCallIsBounded) {
    for (int i = 0; i < 700; ++i) {
        const std::string id = "job" + std::to_string(i);
        enqueue(plainJob(id));
        drop(id);
    }
    clock_.advance(2h);
    EXPECT_TRUE(must(store_->sweep(milliseconds{1h})));
    const size_t left = listed({}, 1000).size();
    EXPECT_GT(left, 0u);
    EXPECT_LT(left, 700u);
    sweepAll(1h);
    EXPECT_TRUE(listed().empty());
    EXPECT_FALSE(must(store_->sweep(milliseconds{1h})));
}

}  // namespace
}  // namespace stepper::store
