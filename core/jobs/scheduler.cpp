#include "core/jobs/scheduler.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "core/telemetry/rounds.h"

namespace stepper::jobs {
namespace {

using std::chrono::steady_clock;

constexpr int kClaimAtOnce = 64;
// Events tell of new work; this is for what no event can tell.
constexpr milliseconds kLookAnyway{10'000};
constexpr milliseconds kAfterError{1'000};
// Jobs whose time is over have workers of their own: most are only to be ended, some are tried a last time.
constexpr int kOverdueWorkers = 4;
// Between two looks for them, however much news there is.
constexpr milliseconds kOverduePause{100};
// A job that found no room although there seemed to be some comes back later; this keeps the circle slow.
constexpr milliseconds kShortestLook{1};

}  // namespace

Scheduler::Scheduler(store::Store& store, Work work, SchedulerOptions options)
    : store_(store), work_(std::move(work)), options_(options) {
    lanes_[store::Lane::Live].capacity = options.live_workers;
    lanes_[store::Lane::Batch].capacity = options.batch_workers;
    lanes_[store::Lane::Suspect].capacity = 1;
    most_workers_ = kOverdueWorkers;
    for (const auto& lane : lanes_) most_workers_ += static_cast<size_t>(lane.capacity);
}

Scheduler::~Scheduler() { drain(steady_clock::now()); }

void Scheduler::start() {
    workers_.reserve(most_workers_);
    workers_.emplace_back([this] { workerLoop(); });
    dispatcher_ = std::thread([this] { dispatch(); });
}

void Scheduler::workAvailable(store::Lane lane) {
    {
        std::lock_guard lock(mutex_);
        lanes_[lane].available = true;
        // It may have a time limit that ends before all others.
        overdue_look_ = std::min(overdue_look_, last_overdue_look_ + kOverduePause);
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

std::optional<store::Lane> Scheduler::pickLane(SteadyTime& next) {
    const SteadyTime now = steady_clock::now();
    next = now + kLookAnyway;
    for (size_t n = 0; n < store::kLanes.size(); ++n) {
        const store::Lane each = store::kLanes[(next_lane_ + n) % store::kLanes.size()];
        const LaneState& lane = lanes_[each];
        if (lane.running >= lane.capacity) continue;
        if (lane.available || now >= lane.due) return each;
        next = std::min(next, lane.due);
    }
    return std::nullopt;
}

// When room is scarce a lane takes a part of it only, so that no lane's pile keeps the others waiting.
int Scheduler::share(store::Lane lane, SteadyTime& next) {
    // Before the look, so that room made after it is told.
    out_of_room_ = true;
    const auto room = options_.room();
    const int free = room.now - unbegun_;
    out_of_room_ = free <= 0;
    if (free <= 0) {
        next = std::min(next, std::max(room.more_at, steady_clock::now() + kShortestLook));
        return 0;
    }
    const int hands_free = hands();
    if (hands_free <= 0) {
        // One that was just made has not come to its wait.
        next = std::min(next, std::max(grow_again_, steady_clock::now() + kShortestLook));
        return 0;
    }
    const int wanted = std::min({lanes_[lane].capacity - lanes_[lane].running, kClaimAtOnce, hands_free});
    return std::min(wanted, free < kClaimAtOnce ? (free + 1) / 2 : free);
}

void Scheduler::dispatch() {
    std::unique_lock lock(mutex_);
    while (!draining_) {
        if (hasMemoryFor("leasing jobs", [&] { dispatchOnce(lock); })) continue;
        if (!lock.owns_lock()) lock.lock();
        dispatch_.wait_for(lock, kAfterError, [this] { return draining_; });
    }
    windDown(lock);
}

void Scheduler::dispatchOnce(std::unique_lock<std::mutex>& lock) {
    adopt();
    if (isShortOfWorkers() && idle_workers_ < static_cast<int>(queue_.size())) addWorker();
    if (steady_clock::now() >= overdue_look_) return claimOverdue(lock);
    SteadyTime next;
    const auto lane = pickLane(next);
    const int asked = lane ? share(*lane, next) : 0;
    if (asked == 0) {
        dispatch_.wait_until(lock, std::min(next, overdue_look_));
        return;
    }
    lanes_[*lane].available = false;
    next_lane_ = static_cast<size_t>(*lane) + 1;
    claim(*lane, asked, lock);
}

// Jobs whose time is up are not kept waiting for room or for a worker: whoever runs them ends them.
void Scheduler::claimOverdue(std::unique_lock<std::mutex>& lock) {
    last_overdue_look_ = steady_clock::now();
    overdue_look_ = last_overdue_look_ + kLookAnyway;
    if (const int asked = kOverdueWorkers - overdue_running_; asked > 0) claim(std::nullopt, asked, lock);
}

void Scheduler::claim(std::optional<store::Lane> lane, int asked, std::unique_lock<std::mutex>& lock) {
    LaneState* state = lane ? &lanes_[*lane] : nullptr;
    SteadyTime& due = state ? state->due : overdue_look_;
    const SteadyTime in_any_case = due = steady_clock::now() + kAfterError;
    lock.unlock();
    auto claims = lane ? store_.claim(*lane, asked, options_.lease)
                       : store_.claimOverdue(asked, options_.lease, options_.max_wait());
    lock.lock();
    if (!claims) return cannot_lease_.tell(claims.error().message);
    cannot_lease_.over();
    if (state && static_cast<int>(claims->jobs.size()) == asked) state->available = true;
    const milliseconds next_due = claims->next_due.value_or(kLookAnyway);
    const SteadyTime next = steady_clock::now() + std::min(next_due, kLookAnyway);
    // Unless news came meanwhile.
    due = due < in_any_case ? std::min(due, next) : next;
    std::ranges::reverse(claims->jobs);
    claimed_ = std::move(claims->jobs);
    claimed_for_ = lane;
    adopt();
}

void Scheduler::adopt() {
    while (!claimed_.empty()) {
        // The job is moved when there is memory for all of it.
        queue_.emplace_back();
        auto entry = running_.end();
        try {
            entry = running_.emplace(claimed_.back().lease.id, nullptr);
            entry->second = std::make_shared<Running>(std::move(claimed_.back()), claimed_for_);
        } catch (const std::bad_alloc&) {
            if (entry != running_.end()) running_.erase(entry);
            queue_.pop_back();
            throw;
        }
        claimed_.pop_back();
        queue_.back() = entry->second;
        Running& task = *entry->second;
        task.begun = [this, &task] { begun(task); };
        task.has_begun = !task.lane;
        unbegun_ += !task.has_begun;
        ++(task.lane ? lanes_[*task.lane].running : overdue_running_);
        if (idle_workers_ < static_cast<int>(queue_.size())) addWorker();
        work_ready_.notify_one();
    }
}

bool Scheduler::isShortOfWorkers() const { return grow_again_ != SteadyTime{}; }

int Scheduler::hands() const {
    size_t to_be_made = most_workers_ - workers_.size();
    // One is tried at a time until one could be had.
    if (isShortOfWorkers())
        to_be_made = steady_clock::now() < grow_again_ ? 0 : std::min<size_t>(to_be_made, 1);
    return idle_workers_ + static_cast<int>(to_be_made) - static_cast<int>(queue_.size());
}

void Scheduler::addWorker() {
    if (workers_.size() >= most_workers_ || steady_clock::now() < grow_again_) return;
    const auto refused = [this](const char* why) {
        grow_again_ = steady_clock::now() + kAfterError;
        cannot_grow_.tell(why);
    };
    try {
        workers_.emplace_back([this] { workerLoop(); });
        grow_again_ = {};
        cannot_grow_.over();
    } catch (const std::system_error& e) {
        refused(e.what());
    } catch (const std::bad_alloc&) {
        refused("out of memory");
    }
}

void Scheduler::begun(Running& task) {
    std::lock_guard lock(mutex_);
    if (!std::exchange(task.has_begun, true)) --unbegun_;
}

void Scheduler::roomMade() {
    if (!out_of_room_) return;
    // The lock, so that a dispatcher about to wait does not miss it.
    std::lock_guard lock(mutex_);
    dispatch_.notify_one();
}

void Scheduler::workerLoop() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_workers_;
        work_ready_.wait(lock, [this] { return closed_ || (!queue_.empty() && !draining_); });
        --idle_workers_;
        if (queue_.empty()) return;
        const auto task = queue_.front();
        queue_.pop_front();
        lock.unlock();
        CancelToken cancel;
        cancel.watch(task->revoked);
        cancel.watch(stopping_);
        if (!hasMemoryFor("a job", [&] { work_(*task, cancel); }))
            giveBack(task->job.lease, {kAfterError, true, {}});
        lock.lock();
        finish(task);
    }
}

void Scheduler::finish(const std::shared_ptr<Running>& task) {
    const auto [begin, end] = running_.equal_range(task->job.lease.id);
    running_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == task; }));
    if (!std::exchange(task->has_begun, true) && unbegun_-- > 0 && out_of_room_) dispatch_.notify_one();
    // Below its capacity the dispatcher has looked already, and waits for news of work instead.
    const auto leave = [this](int& running, int capacity) {
        if (running-- == capacity) dispatch_.notify_one();
    };
    if (task->lane) {
        LaneState& lane = lanes_[*task->lane];
        leave(lane.running, lane.capacity);
    } else {
        if (overdue_running_ == kOverdueWorkers) overdue_look_ = {};
        leave(overdue_running_, kOverdueWorkers);
    }
    if (steady_clock::now() < grow_again_) dispatch_.notify_one();
    if (running_.empty()) all_done_.notify_all();
}

void Scheduler::giveBack(const store::Lease& lease, const store::Postponement& later) {
    hasMemoryFor("giving back a job", [&] {
        if (const auto given = store_.postpone(lease, later); !given)
            log::warn("a leased job could not be given back; it runs again when its lease is over",
                      {{"jobId", lease.id}, {"reason", given.error().message}});
    });
}

// On the dispatcher's thread, so that an end takes no thread that might not be had.
void Scheduler::windDown(std::unique_lock<std::mutex>& lock) {
    while (!claimed_.empty()) {
        const store::Claimed unadopted = std::move(claimed_.back());
        claimed_.pop_back();
        lock.unlock();
        giveBack(unadopted.lease, {});
        lock.lock();
    }
    while (!queue_.empty()) {
        const auto unstarted = queue_.front();
        queue_.pop_front();
        lock.unlock();
        giveBack(unstarted->job.lease, {});
        lock.lock();
        finish(unstarted);
    }
    all_done_.wait_until(lock, drained_by_, [this] { return running_.empty(); });
    stopping_.cancel();
    closed_ = true;
    work_ready_.notify_all();
}

void Scheduler::beginDrain(SteadyTime deadline) {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(draining_, true)) return;
        drained_by_ = deadline;
    }
    dispatch_.notify_all();
}

void Scheduler::drain(SteadyTime deadline) {
    beginDrain(deadline);
    if (dispatcher_.joinable()) {
        dispatcher_.join();
    } else {
        std::unique_lock lock(mutex_);
        windDown(lock);
    }
    for (auto& worker : workers_)
        if (worker.joinable()) worker.join();
}

}  // namespace stepper::jobs
