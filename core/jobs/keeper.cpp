#include "core/jobs/keeper.h"

#include <algorithm>

#include "core/telemetry/rounds.h"

namespace stepper::jobs {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kTick{1'000};
constexpr int kTicksPerReap = 5, kTicksPerSweep = 10;
// A lease is renewed well before it ends, and may miss a beat or two.
constexpr int kBeatsPerLease = 4;

}  // namespace

Keeper::Keeper(store::Store& store, Scheduler& scheduler, std::function<store::Retention()> retention)
    : store_(store), scheduler_(scheduler), retention_(std::move(retention)) {}

Keeper::~Keeper() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Keeper::start() {
    thread_ = std::thread([this] { loop(); });
}

void Keeper::loop() {
    std::unique_lock lock(mutex_);
    const auto stopped = [this] { return stop_; };
    bool more_to_sweep = true;  // of the time before
    for (int tick = 1; !stop_; ++tick) {
        const SteadyTime next = steady_clock::now() + kTick;
        if (more_to_sweep || tick % kTicksPerSweep == 0) more_to_sweep = sweep(lock, next);
        if (wake_.wait_until(lock, next, stopped)) return;
        lock.unlock();
        hasMemoryFor("a look at the store", [this] { lookAtStore(); });
        // Before the reaping: after a long stop of the whole process, or of the disk, our own leases are
        // renewed, not taken.
        hasMemoryFor("housekeeping", [&] {
            const bool kept = beat();
            if (kept && tick % kTicksPerReap == 0)
                if (const auto reaped = store_.reap(); reaped && *reaped > 0)
                    log::warn("jobs whose worker fell silent are run again", {{"count", *reaped}});
        });
        lock.lock();
    }
}

void Keeper::lookAtStore() {
    using Status = store::Health::Status;
    const auto health = store_.health();
    switch (health.status) {
        case Status::Ok:
            if (std::exchange(told_of_trouble_, false)) log::info("the store is written to again");
            break;
        case Status::Degraded:
            // A full disk now and then has room for a little, so that it is over and back every few seconds.
            if (trouble_.happened(steady_clock::now()) == 0) break;
            log::warn("the store cannot be written to: new work is refused", {{"reason", health.reason}});
            told_of_trouble_ = true;
            break;
        case Status::Failed:
            if (!std::exchange(told_of_failure_, true))
                log::error("the store failed: no more work is accepted", {{"reason", health.reason}});
            break;
    }
}

bool Keeper::beat() {
    const SteadyTime now = steady_clock::now();
    std::vector<store::Beat> beats;
    std::vector<std::shared_ptr<Running>> told;
    for (auto& task : scheduler_.running()) {
        const int progress = task->progress;
        const bool due = now - task->told >= scheduler_.lease() / kBeatsPerLease;
        if (!due && (progress == task->told_progress || now - task->told < kTick)) continue;
        beats.push_back({task->job.lease, progress});
        told.push_back(std::move(task));
    }
    if (beats.empty()) return true;
    const auto lost = store_.heartbeat(beats, scheduler_.lease());
    if (!lost) {
        cannot_renew_.tell(lost.error().message);
        return false;
    }
    cannot_renew_.over();
    for (size_t i = 0; i < told.size(); ++i) {
        told[i]->told = now;
        told[i]->told_progress = beats[i].progress;
    }
    for (const auto& id : *lost) scheduler_.revoke(id);
    return true;
}

// Rows leave in small portions, and requests have as long between two as a portion took.
bool Keeper::sweep(std::unique_lock<std::mutex>& lock, SteadyTime until) {
    for (SteadyTime begun = steady_clock::now(); begun < until && !stop_; begun = steady_clock::now()) {
        lock.unlock();
        Result<bool> more = false;
        hasMemoryFor("housekeeping", [&] { more = store_.sweep(retention_()); });
        lock.lock();
        if (!more || !*more) return false;
        const SteadyTime now = steady_clock::now();
        wake_.wait_until(lock, std::min(until, now + (now - begun)), [this] { return stop_; });
    }
    return true;
}

}  // namespace stepper::jobs
