#include "core/jobs/scheduler.h"

#include <algorithm>

#include "core/telemetry/log.h"

namespace stepper::jobs {
namespace {

using std::chrono::steady_clock;

constexpr int kClaimAtOnce = 64;
// Events tell of new work; this is for what no event can tell.
constexpr milliseconds kLookAnyway{10'000};
constexpr milliseconds kAfterError{1'000};

}  // namespace

Scheduler::Scheduler(store::Store& store, Work work, SchedulerOptions options)
    : store_(store), work_(std::move(work)), options_(options) {
    lanes_[static_cast<size_t>(store::Lane::Live)].capacity = options.live_workers;
    lanes_[static_cast<size_t>(store::Lane::Batch)].capacity = options.batch_workers;
    lanes_[static_cast<size_t>(store::Lane::Suspect)].capacity = 1;
    for (const auto& lane : lanes_) most_workers_ += static_cast<size_t>(lane.capacity);
}

Scheduler::~Scheduler() { drain(steady_clock::now()); }

void Scheduler::start() {
    dispatcher_ = std::thread([this] { dispatch(); });
}

void Scheduler::workAvailable(store::Lane lane) {
    {
        std::lock_guard lock(mutex_);
        lanes_[static_cast<size_t>(lane)].available = true;
    }
    dispatch_.notify_one();
}

void Scheduler::revoke(const std::string& job_id) {
    std::lock_guard lock(mutex_);
    const auto [begin, end] = running_.equal_range(job_id);
    for (auto it = begin; it != end; ++it) it->second->revoked.cancel();
}

std::vector<std::shared_ptr<Running>> Scheduler::running() const {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Running>> out;
    out.reserve(running_.size());
    for (const auto& [id, task] : running_) out.push_back(task);
    return out;
}

std::optional<size_t> Scheduler::pickLane(SteadyTime& next) {
    const SteadyTime now = steady_clock::now();
    next = now + kLookAnyway;
    for (size_t i = 0; i < kLanes; ++i) {
        LaneState& lane = lanes_[i];
        if (lane.running >= lane.capacity) continue;
        if (lane.available || now >= lane.due) return i;
        next = std::min(next, lane.due);
    }
    return std::nullopt;
}

void Scheduler::dispatch() {
    std::unique_lock lock(mutex_);
    while (!draining_) {
        SteadyTime next;
        const auto lane = pickLane(next);
        if (!lane) {
            dispatch_.wait_until(lock, next);
            continue;
        }
        lanes_[*lane].available = false;
        const int asked = std::min(lanes_[*lane].capacity - lanes_[*lane].running, kClaimAtOnce);
        lock.unlock();
        auto claims = store_.claim(static_cast<store::Lane>(*lane), asked, options_.lease);
        lock.lock();
        accept(*lane, asked, std::move(claims));
    }
}

void Scheduler::accept(size_t lane, int asked, Result<store::Claims> claims) {
    LaneState& state = lanes_[lane];
    const SteadyTime now = steady_clock::now();
    if (!claims) {
        state.due = now + kAfterError;
        cannot_lease_.tell(claims.error().message);
        return;
    }
    cannot_lease_.over();
    if (static_cast<int>(claims->jobs.size()) == asked) state.available = true;
    state.due = now + std::min(claims->next_due.value_or(kLookAnyway), kLookAnyway);
    for (auto& job : claims->jobs) {
        auto task = std::make_shared<Running>(std::move(job), static_cast<store::Lane>(lane));
        running_.emplace(task->job.lease.id, task);
        queue_.push_back(std::move(task));
        ++state.running;
        if (idle_workers_ < static_cast<int>(queue_.size()) && workers_.size() < most_workers_)
            workers_.emplace_back([this] { workerLoop(); });
        else
            work_ready_.notify_one();
    }
}

void Scheduler::workerLoop() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_workers_;
        work_ready_.wait(lock, [this] { return closed_ || !queue_.empty(); });
        --idle_workers_;
        if (queue_.empty()) return;
        const auto task = queue_.front();
        queue_.pop_front();
        lock.unlock();
        CancelToken cancel;
        cancel.watch(task->revoked);
        cancel.watch(stopping_);
        work_(*task, cancel);
        lock.lock();
        finish(task);
    }
}

void Scheduler::finish(const std::shared_ptr<Running>& task) {
    const auto [begin, end] = running_.equal_range(task->job.lease.id);
    running_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == task; }));
    LaneState& lane = lanes_[static_cast<size_t>(task->lane)];
    // Below its capacity the dispatcher has looked already, and waits for news of work instead.
    if (lane.running-- == lane.capacity) dispatch_.notify_one();
    if (running_.empty()) all_done_.notify_all();
}

void Scheduler::giveBack(const std::deque<std::shared_ptr<Running>>& tasks) {
    for (const auto& task : tasks) {
        if (const auto given = store_.postpone(task->job.lease, {}); !given)
            log::warn("a leased job could not be given back; it runs again after the next start",
                      {{"jobId", task->job.lease.id}, {"reason", given.error().message}});
        std::lock_guard lock(mutex_);
        finish(task);
    }
}

void Scheduler::drain(SteadyTime deadline) {
    std::deque<std::shared_ptr<Running>> unstarted;
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(draining_, true)) return;
    }
    dispatch_.notify_all();
    if (dispatcher_.joinable()) dispatcher_.join();
    {
        std::lock_guard lock(mutex_);
        unstarted.swap(queue_);
    }
    giveBack(unstarted);
    {
        std::unique_lock lock(mutex_);
        all_done_.wait_until(lock, deadline, [this] { return running_.empty(); });
        stopping_.cancel();
        closed_ = true;
    }
    work_ready_.notify_all();
    for (auto& worker : workers_) worker.join();
}

}  // namespace stepper::jobs
