#include "core/jobs/scheduler.h"

#include <gtest/gtest.h>

#include "core/base/id.h"
#include "core/store/memory/store.h"
#include "tests/unit/scarce_memory.h"
#include "tests/unit/store/unavailable_store.h"

namespace stepper::jobs {
namespace {

using store::Lane;
using namespace std::chrono_literals;

// Counts, and lets a test wait for a count.
class Tally {
public:
    // Tells under the lock: whoever waits may destroy this right after.
    void add() {
        std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    bool reaches(int n) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] { return count_ >= n; });
    }
    int count() {
        std::lock_guard lock(mutex_);
        return count_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

class SchedulerTest : public testing::Test {
protected:
    struct Wiring final : store::Listener {
        Scheduler* scheduler = nullptr;
        void jobChanged(const std::string&) override {}
        void leaseRevoked(const std::string& id) override {
            if (scheduler) scheduler->revoke(id);
        }
        void workAvailable(Lane lane) override {
            if (scheduler) scheduler->workAvailable(lane);
        }
        void answerChanged(const std::string&) override {}
    };

    void start(Scheduler::Work work, SchedulerOptions options = {}) {
        scheduler_ = std::make_unique<Scheduler>(store_, std::move(work), options);
        wiring_.scheduler = scheduler_.get();
        store_.setListener(&wiring_);
        scheduler_->start();
    }
    void TearDown() override {
        scheduler_.reset();
        store_.setListener(nullptr);
    }

    std::string enqueue(std::optional<milliseconds> time_limit = {}) {
        store::NewJob job;
        job.id = newId();
        job.kind = "generate";
        job.time_limit = time_limit;
        EXPECT_TRUE(store_.enqueue(job).ok());
        return job.id;
    }
    store::JobState stateOf(const std::string& id) { return (*store_.job(id))->state; }

    SystemClock clock_;
    store::MemoryStore store_{clock_, {}};
    Wiring wiring_;
    std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, RunsWhatComesAndNeverMoreThanItMay) {
    Tally done;
    std::atomic<int> now{0}, most{0};
    SchedulerOptions options;
    options.live_workers = 3;
    start(
        [&](Running& task, CancelToken&) {
            int n = ++now;
            for (int seen = most; seen < n && !most.compare_exchange_weak(seen, n);) {
            }
            EXPECT_TRUE(*store_.finish(task.job.lease, {}));
            --now;
            done.add();
        },
        options);
    std::vector<std::string> ids;
    for (int i = 0; i < 200; ++i) ids.push_back(enqueue());
    ASSERT_TRUE(done.reaches(200));
    for (const auto& id : ids) EXPECT_EQ(stateOf(id), store::JobState::Done);
    EXPECT_LE(most, 3);
}

TEST_F(SchedulerTest, ARunThatFindsNoMemoryIsTriedAgain) {
    Tally runs, done;
    start([&](Running& task, CancelToken&) {
        runs.add();
        if (runs.count() == 1) throw std::bad_alloc();
        EXPECT_EQ(task.job.attempts, 1);
        EXPECT_TRUE(*store_.finish(task.job.lease, {}));
        done.add();
    });
    const auto id = enqueue();
    ASSERT_TRUE(done.reaches(1));
    EXPECT_EQ(runs.count(), 2);
    EXPECT_EQ(stateOf(id), store::JobState::Done);
}

// Left to their leases they would wait for a minute, and five such moments would fail them.
TEST(SchedulerWithoutMemory, KeepsWhatIsLeasedUntilThereIsMemoryForIt) {
    // Leases a job at a time, to somebody who is refused one allocation then, each time a later one.
    struct Store final : store::UnavailableStore {
        Result<store::Claims> claim(Lane lane, int, milliseconds) override {
            store::Claims claims;
            if (lane != Lane::Live || offered == leased) return claims;
            claims.jobs.resize(1);
            claims.jobs.front().lease = {"a-job-whose-name-takes-memory", ++leased};
            test::refuseAllocation(leased);
            return claims;
        }
        std::atomic<int> offered = 0;
        int leased = 0;
    } store;
    Tally runs;
    Scheduler scheduler(store, [&](Running&, CancelToken&) { runs.add(); }, {});
    scheduler.start();
    constexpr int kAllocations = 5;  // of a job that is taken on, and of a thread for it
    while (store.offered < kAllocations) {
        ++store.offered;
        scheduler.workAvailable(Lane::Live);
        ASSERT_TRUE(runs.reaches(store.offered));
    }
}

TEST_F(SchedulerTest, AnEndThatWasBegunStopsRunningJobsAtItsTimeByItself) {
    Tally running, stopped;
    start([&](Running&, CancelToken& cancel) {
        running.add();
        EXPECT_EQ(cancel.sleepUntil(std::chrono::steady_clock::now() + 20s), CancelReason::Draining);
        stopped.add();
    });
    enqueue();
    ASSERT_TRUE(running.reaches(1));
    scheduler_->beginDrain(std::chrono::steady_clock::now() + 20ms);
    EXPECT_TRUE(stopped.reaches(1));
}

TEST_F(SchedulerTest, ARevokedJobIsTold) {
    Tally running, stopped;
    start([&](Running&, CancelToken& cancel) {
        running.add();
        EXPECT_EQ(cancel.sleepUntil(std::chrono::steady_clock::now() + 20s), CancelReason::Requested);
        stopped.add();
    });
    const auto id = enqueue();
    ASSERT_TRUE(running.reaches(1));
    EXPECT_EQ(store_.drop(id, false)->how, store::Dropped::How::Cancelled);
    EXPECT_TRUE(stopped.reaches(1));
}

TEST_F(SchedulerTest, ADrainWaitsForWhatRunsAndTakesNothingNew) {
    Tally running;
    CancelSource may_end(CancelReason::Requested);
    start([&](Running& task, CancelToken&) {
        running.add();
        CancelToken wait;
        wait.watch(may_end);
        wait.sleepUntil(std::chrono::steady_clock::now() + 20s);
        EXPECT_TRUE(*store_.finish(task.job.lease, {}));
    });
    const auto before = enqueue();
    ASSERT_TRUE(running.reaches(1));
    std::thread drain([&] { scheduler_->drain(std::chrono::steady_clock::now() + 20s); });
    may_end.cancel();
    drain.join();
    EXPECT_EQ(stateOf(before), store::JobState::Done);
    EXPECT_EQ(stateOf(enqueue()), store::JobState::Ready);
    EXPECT_EQ(running.count(), 1);
}

TEST_F(SchedulerTest, ADrainWithoutPatienceStopsWhatRuns) {
    Tally running;
    start([&](Running& task, CancelToken& cancel) {
        running.add();
        EXPECT_EQ(cancel.sleepUntil(std::chrono::steady_clock::now() + 20s), CancelReason::Draining);
        EXPECT_TRUE(*store_.postpone(task.job.lease, {}));
    });
    const auto id = enqueue();
    ASSERT_TRUE(running.reaches(1));
    scheduler_->drain(std::chrono::steady_clock::now());
    EXPECT_EQ(stateOf(id), store::JobState::Ready);
    EXPECT_EQ((*store_.job(id))->crashes, 0);
}

// hibiken/asynq#751, #1041, google/turbinia#1539: a deadline that passes while a task waits is noticed then,
// not when a worker is free.
TEST_F(SchedulerTest, WhoseTimeIsUpWaitsForNoRoom) {
    Tally ended;
    SchedulerOptions options;
    options.room = [] { return limits::Gate::Room{0, SteadyTime::max()}; };
    start(
        [&](Running& task, CancelToken&) {
            EXPECT_FALSE(task.lane);
            EXPECT_TRUE(task.job.deadline && *task.job.deadline <= std::chrono::steady_clock::now());
            EXPECT_TRUE(*store_.finish(task.job.lease, {}));
            ended.add();
        },
        options);
    const auto patient = enqueue();
    std::vector<std::string> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(enqueue(milliseconds{5 * i}));
    ASSERT_TRUE(ended.reaches(20));
    for (const auto& id : ids) EXPECT_EQ(stateOf(id), store::JobState::Done);
    EXPECT_EQ(stateOf(patient), store::JobState::Ready);
}

TEST_F(SchedulerTest, WhoseTimeIsUpWaitsForNoWorker) {
    Tally running, ended;
    SchedulerOptions options;
    options.live_workers = 1;
    start(
        [&](Running& task, CancelToken& cancel) {
            if (task.lane) {
                running.add();
                cancel.sleepUntil(std::chrono::steady_clock::now() + 20s);
                return;
            }
            EXPECT_TRUE(*store_.finish(task.job.lease, {}));
            ended.add();
        },
        options);
    enqueue();
    ASSERT_TRUE(running.reaches(1));
    const SteadyTime began = std::chrono::steady_clock::now();
    enqueue(150ms);
    ASSERT_TRUE(ended.reaches(1));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 149ms);
    EXPECT_EQ(running.count(), 1);
}

TEST_F(SchedulerTest, TheLongestWaitEndsToo) {
    Tally ended;
    SchedulerOptions options;
    options.room = [] { return limits::Gate::Room{0, SteadyTime::max()}; };
    options.max_wait = [] { return milliseconds{50}; };
    start(
        [&](Running& task, CancelToken&) {
            EXPECT_FALSE(task.lane);
            EXPECT_TRUE(*store_.finish(task.job.lease, {}));
            ended.add();
        },
        options);
    enqueue();
    EXPECT_TRUE(ended.reaches(1));
}

TEST_F(SchedulerTest, ADelayedJobRunsWhenItIsDue) {
    Tally runs;
    start([&](Running& task, CancelToken&) {
        store::Postponement later;
        later.delay = 50ms;
        if (runs.count() == 0)
            EXPECT_TRUE(*store_.postpone(task.job.lease, later));
        else
            EXPECT_TRUE(*store_.finish(task.job.lease, {}));
        runs.add();
    });
    enqueue();
    EXPECT_TRUE(runs.reaches(2));
}

}  // namespace
}  // namespace stepper::jobs
