// Leases jobs from the store and gives each to a thread, lane by lane.
#pragma once
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/base/cancel.h"
#include "core/limits/gate.h"
#include "core/store/store.h"
#include "core/telemetry/complaint.h"

namespace stepper::jobs {

// A leased job in the hands of this process.
struct Running {
    Running(store::Claimed c, std::optional<store::Lane> l) : job(std::move(c)), lane(l) {}
    const store::Claimed job;
    const std::optional<store::Lane> lane;          // whose place it takes; none: it is overdue
    bool has_begun = false;                         // guarded by the scheduler's lock
    CancelSource revoked{CancelReason::Requested};  // the lease is no longer ours: stop, write nothing
    std::atomic<int> progress{0};
    std::function<void()> begun;                         // to be called when its first provider was entered
    SteadyTime told = std::chrono::steady_clock::now();  // of the last heartbeat; the keeper's thread only
    int told_progress = 0;                               // likewise
};

struct SchedulerOptions {
    int live_workers = 64;   // threads for single jobs
    int batch_workers = 20;  // threads for items of batches; suspects have one
    milliseconds lease{60'000};
    // How many jobs could be started now, and when more could (max() when only roomMade() tells). Jobs wait
    // in the store until there is room, so that they are taken in their right order.
    std::function<limits::Gate::Room()> room = [] { return limits::Gate::Room{1 << 20, SteadyTime::max()}; };
    // How long a job may wait; asked each time.
    std::function<milliseconds()> max_wait = [] { return milliseconds{86'400'000}; };
};

// Threads are made when they are first needed, but for two that start() makes; where the system refuses one,
// jobs wait in the store for those there are. Public functions may be called from any thread.
class Scheduler {
public:
    // Runs the job to its end, or to where it can be given back; stops soon when the token says so.
    using Work = std::function<void(Running&, CancelToken&)>;

    Scheduler(store::Store& store, Work work, SchedulerOptions options);
    // Drains without patience if drain() was not called.
    ~Scheduler();

    // Throws std::system_error when the system refuses it a thread.
    void start();
    void workAvailable(store::Lane lane);
    // There may be more room.
    void roomMade();
    void revoke(const std::string& job_id);
    std::vector<std::shared_ptr<Running>> running() const;
    milliseconds lease() const { return options_.lease; }

    // Takes no more jobs, lets the running ones go on until the deadline, then stops them. Does not wait.
    void beginDrain(SteadyTime deadline);
    // The same, and returns when no thread is left. The deadline is that of the first call of both.
    void drain(SteadyTime deadline);

private:
    struct LaneState {
        int capacity = 0, running = 0;
        bool available = true;  // there may be work
        SteadyTime due{};       // look then even if nobody said so
    };

    void dispatch();
    void dispatchOnce(std::unique_lock<std::mutex>& lock);
    void windDown(std::unique_lock<std::mutex>& lock);
    // The lane to claim from now, or none; `next` becomes the moment to look again.
    std::optional<store::Lane> pickLane(SteadyTime& next);
    // How many jobs to claim for that lane, 0 when there is no room; `next` as above.
    int share(store::Lane lane, SteadyTime& next);
    void begun(Running& task);
    // Leases so many jobs of that lane, or overdue ones, and adopts them. Gives the lock up in between.
    void claim(std::optional<store::Lane> lane, int asked, std::unique_lock<std::mutex>& lock);
    void claimOverdue(std::unique_lock<std::mutex>& lock);
    // Takes on all of claimed_.
    void adopt();
    // Jobs that could be begun now, as far as threads go.
    int hands() const;
    bool isShortOfWorkers() const;
    void addWorker();
    void workerLoop();
    void finish(const std::shared_ptr<Running>& task);
    void giveBack(const store::Lease& lease, const store::Postponement& later);

    store::Store& store_;
    const Work work_;
    const SchedulerOptions options_;
    CancelSource stopping_{CancelReason::Draining};

    mutable std::mutex mutex_;
    std::condition_variable dispatch_, work_ready_, all_done_;
    store::ByLane<LaneState> lanes_;
    std::deque<std::shared_ptr<Running>> queue_;  // leased, no thread has them yet
    std::unordered_multimap<std::string, std::shared_ptr<Running>> running_;  // with those in queue_
    // Leased and not yet adopted, the last first; those that there is no memory for stay here until there is.
    std::vector<store::Claimed> claimed_;
    std::optional<store::Lane> claimed_for_;
    int idle_workers_ = 0;
    int unbegun_ = 0;       // leased, and no provider entered yet: room is taken for them
    size_t next_lane_ = 0;  // lanes take turns
    SteadyTime overdue_look_{}, last_overdue_look_{};
    int overdue_running_ = 0;
    std::atomic<bool> out_of_room_{false};
    bool draining_ = false, closed_ = false;
    SteadyTime drained_by_{};

    size_t most_workers_ = 0;
    SteadyTime grow_again_{};  // no worker is made before; set as long as the last one was refused
    Complaint cannot_grow_{"threads for jobs cannot be had; jobs wait for those there are"};
    Complaint cannot_lease_{"jobs cannot be leased"};
    std::thread dispatcher_;
    std::vector<std::thread> workers_;
};

}  // namespace stepper::jobs
