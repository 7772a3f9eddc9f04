#include "core/jobs/keeper.h"

#include "core/telemetry/rounds.h"

namespace stepper::jobs {
namespace {

using std::chrono::steady_clock;

constexpr milliseconds kTick{1'000};
constexpr int kTicksPerReap = 5, kTicksPerSweep = 10;
// A lease is renewed well before it ends, and may miss a beat or two.
constexpr int kBeatsPerLease = 4;
// Rows leave in small portions, so that requests are not held up.
constexpr int kPortionsPerSweep = 50;

}  // namespace

Keeper::Keeper(store::Store& store, Scheduler& scheduler, std::function<milliseconds()> retention)
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
    for (int tick = 1; !wake_.wait_for(lock, kTick, [this] { return stop_; }); ++tick) {
        lock.unlock();
        lookAtStore();
        // Before the reaping: after a long stop of the whole process, or of the disk, our own leases are
        // renewed, not taken.
        hasMemoryFor("housekeeping", [&] {
            const bool kept = beat();
            if (kept && tick % kTicksPerReap == 0)
                if (const auto reaped = store_.reap(); reaped && *reaped > 0)
                    log::warn("jobs whose worker fell silent are run again", {{"count", *reaped}});
            if (tick % kTicksPerSweep == 0) sweep();
        });
        lock.lock();
    }
}

void Keeper::lookAtStore() {
    const auto health = store_.health();
    if (health.status != store::Health::Status::Failed || std::exchange(told_of_failure_, true)) return;
    log::error("the store failed: no more work is accepted", {{"reason", health.reason}});
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

void Keeper::sweep() {
    for (int i = 0; i < kPortionsPerSweep; ++i) {
        const auto more = store_.sweep(retention_());
        if (!more || !*more) return;
    }
}

}  // namespace stepper::jobs
