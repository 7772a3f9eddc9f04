// Runs a leased job: decodes its request, asks the engine, writes down what became of it.
#pragma once
#include <functional>

#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/jobs/decide.h"
#include "core/jobs/scheduler.h"
#include "core/telemetry/metrics.h"
#include "core/telemetry/recurrence.h"

namespace stepper::jobs {

// From a stored request to what the engine takes. `kind` is the one it was stored with.
using Decoder = std::function<Result<engine::GenerateRequest>(std::string_view kind, std::string_view body)>;

// What it works with; borrowed, must outlive it.
struct RunnerDeps {
    store::Store& store;
    engine::Engine& engine;
    const engine::SnapshotHolder& snapshots;
    Metrics& metrics;
    Decoder decode;
};

// run() may be called from many threads; it blocks until the job was ended or given back, or its lease is
// not ours any more. A store that fails is tried again until then, so that a paid answer is not lost. A run
// that there was no memory for is an attempt that failed.
class Runner {
public:
    // `chance` gives numbers in [0, 1), on any thread.
    Runner(RunnerDeps deps, const Clock& clock, std::function<double()> chance = stepper::chance)
        : deps_(std::move(deps)), clock_(clock), chance_(std::move(chance)) {}
    void run(Running& task, CancelToken& cancel);

private:
    // Writes down what becomes of the job. `waited`: when its run began.
    void settle(Running& task, const engine::Outcome& outcome, const Policy& policy, milliseconds waited,
                CancelToken& cancel);
    engine::Outcome ask(Running& task, CancelToken& cancel, const Policy& policy);
    Moment momentOf(const store::Claimed& job) const;
    bool isWanted(const std::string& job_id);
    // `how` it ended, for the metrics.
    void end(const store::Lease& lease, const store::Ending& ending, std::string_view how,
             CancelToken& cancel);
    void bringBack(const store::Lease& lease, const store::Postponement& later, CancelToken& cancel);

    void tellOfNoAnswer(const Running& task, const engine::Outcome& outcome, bool final);

    RunnerDeps deps_;
    const Clock& clock_;
    std::function<double()> chance_;
    std::mutex mutex_;
    Recurrences failures_;  // by code; guarded by it
};

}  // namespace stepper::jobs
