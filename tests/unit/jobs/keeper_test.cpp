#include "core/jobs/keeper.h"

#include <gtest/gtest.h>

#include "tests/unit/store/unavailable_store.h"

namespace stepper::jobs {
namespace {

using namespace std::chrono_literals;

// Has so many portions of old rows.
class OldStore final : public store::UnavailableStore {
public:
    explicit OldStore(int portions) : left_(portions) {}
    Result<bool> sweep(store::Retention retention) override {
        EXPECT_EQ(retention, store::Retention(1h, 2h));
        std::lock_guard lock(mutex_);
        --left_;
        changed_.notify_all();
        return left_ > 0;
    }
    bool isSwept(milliseconds within) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, within, [this] { return left_ <= 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int left_;
};

TEST(Keeper, SweepsAsLongAsThereIsAnythingOld) {
    OldStore store(2'000);
    Scheduler scheduler(store, [](Running&, CancelToken&) {}, {});
    Keeper keeper(store, scheduler, [] { return store::Retention(1h, 2h); });
    keeper.start();
    EXPECT_TRUE(store.isSwept(20s));
}

TEST(Keeper, LooksAtTheStoreAgainWhenThereWasNoMemoryForIt) {
    struct Store final : store::UnavailableStore {
        store::Health health() const override {
            ++looks;
            looks.notify_one();
            throw std::bad_alloc();
        }
        mutable std::atomic<int> looks = 0;
    } store;
    Scheduler scheduler(store, [](Running&, CancelToken&) {}, {});
    Keeper keeper(store, scheduler, [] { return store::Retention(1h, 2h); });
    keeper.start();
    for (int seen = 0; seen < 2; seen = store.looks) store.looks.wait(seen);
}

TEST(Keeper, EndsInTheMidstOfAPile) {
    OldStore store(1'000'000'000);
    Scheduler scheduler(store, [](Running&, CancelToken&) {}, {});
    const auto began = std::chrono::steady_clock::now();
    {
        Keeper keeper(store, scheduler, [] { return store::Retention(1h, 2h); });
        keeper.start();
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

}  // namespace
}  // namespace stepper::jobs
