// Durations while others set the wall clock: each of these has its time and neither more nor less.
#include <functional>

#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

class Clocks : public StoreTest {
protected:
    // Sets the clock before and after the time passes.
    void pass(milliseconds time) {
        clock_.setWallBy(first_);
        clock_.advance(time / 2);
        clock_.setWallBy(second_);
        clock_.advance(time - time / 2);
    }
    // Once for each way to set it.
    void eachWay(const std::function<void(const std::string& id)>& test) {
        int round = 0;
        for (const auto& [first, second] : {std::pair{0h, 0h},
                                            {-6h, 0h},
                                            {0h, -6h},
                                            {6h, 0h},
                                            {0h, 6h},
                                            {-6h, 6h},
                                            {6h, -6h},
                                            {-87'600h, 0h},
                                            {87'600h, 0h}}) {
            SCOPED_TRACE(std::to_string(first.count()) + " h, " + std::to_string(second.count()) + " h");
            first_ = first;
            second_ = second;
            test("job" + std::to_string(++round));
        }
    }

    milliseconds first_{}, second_{};
};
INSTANTIATE_TEST_SUITE_P(Store, Clocks, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Clocks, ADelayedJobComesBackInTime) {
    eachWay([this](const std::string& id) {
        enqueue(plainJob(id));
        postpone(take(id), 10s);
        pass(9s);
        EXPECT_TRUE(claim(Lane::Live, 1).empty());
        EXPECT_EQ(must(store_->claim(Lane::Live, 1, kLease)).next_due, 1s);
        EXPECT_EQ(job(id).run_at, clock_.wall() + 1s);
        pass(1s);
        finish(take(id));
    });
}

TEST_P(Clocks, ATimeLimitEndsInTime) {
    eachWay([this](const std::string& id) {
        NewJob limited = plainJob(id);
        limited.time_limit = 10s;
        enqueue(limited);
        pass(9s);
        EXPECT_TRUE(must(store_->claimOverdue(1, kLease, 24h)).jobs.empty());
        pass(1s);
        const auto overdue = must(store_->claimOverdue(1, kLease, 24h)).jobs;
        ASSERT_EQ(overdue.size(), 1u);
        EXPECT_EQ(overdue[0].deadline, clock_.now());
        finish(overdue[0].lease);
    });
}

TEST_P(Clocks, TheLongestWaitEndsInTime) {
    eachWay([this](const std::string& id) {
        enqueue(plainJob(id));
        pass(59min);
        EXPECT_TRUE(must(store_->claimOverdue(1, kLease, 1h)).jobs.empty());
        pass(1min);
        const auto overdue = must(store_->claimOverdue(1, kLease, 1h)).jobs;
        ASSERT_EQ(overdue.size(), 1u);
        EXPECT_EQ(clock_.now() - overdue[0].created, 1h);
        finish(overdue[0].lease);
    });
}

TEST_P(Clocks, AnAnswerIsFreshAndKeptForItsTime) {
    eachWay([this](const std::string& id) {
        enqueue(keyedJob(id, id));
        finishCached(take(id), "result", {10s, 20s});
        pass(9s);
        EXPECT_EQ(enqueue(keyedJob(id + "-a", id)), How::Cached);
        pass(2s);
        EXPECT_EQ(enqueue(keyedJob(id + "-b", id)), How::Created);
        drop(id + "-b");
        EXPECT_EQ(clock_.now() - must(store_->cached(id))->made_at, 11s);
        pass(8s);
        sweepAll(24h);
        EXPECT_TRUE(must(store_->cached(id)));
        pass(1s);
        EXPECT_FALSE(must(store_->cached(id)));
    });
}

TEST_P(Clocks, AFinalJobIsKeptForTheRetention) {
    eachWay([this](const std::string& id) {
        enqueue(plainJob(id));
        finish(take(id));
        pass(59min);
        sweepAll(1h);
        EXPECT_TRUE(exists(id));
        EXPECT_EQ(job(id).finished, clock_.wall() - 59min);
        pass(2min);
        sweepAll(1h);
        EXPECT_FALSE(exists(id));
    });
}

TEST_P(Clocks, TheStoresTimeIsNotSet) {
    const milliseconds start = store_->time();
    eachWay([this, start, rounds = 0](const std::string&) mutable {
        pass(1h);
        EXPECT_EQ(store_->time() - start, ++rounds * 1h);
    });
}

}  // namespace
}  // namespace stepper::store
