// Many callers at once.
#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

constexpr int kThreads = 8;

class Threads : public StoreTest {
protected:
    template <class Work>
    static void together(Work work) {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Threads, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Threads, OfManyEqualJobsOneIsCreated) {
    for (int round = 0; round < 20; ++round) {
        const std::string key = "key" + std::to_string(round);
        std::atomic<int> created = 0, coalesced = 0;
        together([&](int i) {
            const How how = enqueue(keyedJob(key + "/" + std::to_string(i), key));
            created += how == How::Created;
            coalesced += how == How::Coalesced;
        });
        EXPECT_EQ(created, 1);
        EXPECT_EQ(coalesced, kThreads - 1);
    }
    const auto jobs = claimIds(Lane::Live, 100);
    EXPECT_EQ(jobs.size(), 20u);
    for (const auto& id : jobs) EXPECT_EQ(job(id).wanted_by, kThreads);
}

TEST_P(Threads, OfManyRequestsUnderAnIdempotencyKeyOneIsCreated) {
    std::atomic<int> created = 0, repeated = 0;
    together([&](int i) {
        NewJob asked = plainJob("job" + std::to_string(i));
        asked.idempotency_key = "once";
        const How how = enqueue(asked);
        created += how == How::Created;
        repeated += how == How::Repeated;
    });
    EXPECT_EQ(created, 1);
    EXPECT_EQ(repeated, kThreads - 1);
}

TEST_P(Threads, NoJobIsGivenToTwoWorkers) {
    for (int i = 0; i < 200; ++i) enqueue(plainJob("job" + std::to_string(i)));
    std::mutex mutex;
    std::multiset<std::string> given;
    std::atomic<int> finished = 0;
    together([&](int) {
        for (auto jobs = claim(Lane::Live, 3); !jobs.empty(); jobs = claim(Lane::Live, 3)) {
            for (const Claimed& c : jobs) {
                finished += finish(c.lease);
                std::lock_guard lock(mutex);
                given.insert(c.lease.id);
            }
        }
    });
    EXPECT_EQ(given.size(), 200u);
    EXPECT_EQ(std::set(given.begin(), given.end()).size(), 200u);
    EXPECT_EQ(finished, 200);
}

TEST_P(Threads, OfManyEndsOneCounts) {
    enqueue(plainJob("a"));
    const Lease lease = take("a");
    std::atomic<int> won = 0;
    together([&](int i) { won += i % 2 ? finish(lease, std::to_string(i)) : fail(lease); });
    EXPECT_EQ(won, 1);
}

TEST_P(Threads, ABatchIsCountedExactly) {
    std::vector<NewItem> items;
    for (int i = 0; i < 100; ++i)
        items.push_back(keyedItem("item" + std::to_string(i), std::to_string(i / 2)));
    enqueue(newBatch("batch", 10, std::move(items)));
    std::atomic<bool> over = false;
    together([&](int i) {
        while (!over) {
            for (const Claimed& c : claim(Lane::Batch, 2)) {
                if (i == 0)
                    fail(c.lease);
                else
                    finish(c.lease);
            }
            const Job batch = job("batch");
            EXPECT_LE(batch.busy, 10);
            if (isFinal(batch.state)) over = true;
        }
    });
    const Job batch = job("batch");
    EXPECT_EQ(batch.done + batch.failed, 100);
    EXPECT_EQ(batch.busy, 0);
    EXPECT_EQ(std::ranges::count(itemStates("batch"), JobState::Done), batch.done);
}

}  // namespace
}  // namespace stepper::store
