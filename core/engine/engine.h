// One request end to end: plan, admit, attempt, classify, validate; the next provider, or the fallback.
#pragma once
#include <condition_variable>
#include <mutex>

#include "core/base/cancel.h"
#include "core/engine/request.h"
#include "core/engine/snapshot.h"
#include "core/telemetry/metrics.h"
#include "core/transport/transport.h"

namespace stepper::engine {

// What the engine works with; all of it is borrowed and must outlive the engine.
struct EngineDeps {
    const SnapshotHolder& snapshots;
    transport::Transport& transport;
    Metrics& metrics;
};

// Safe from any thread; generate() blocks its caller's thread.
class Engine {
public:
    explicit Engine(EngineDeps deps) : deps_(deps) {}

    // Walks the chain until a provider's answer passes validation. Returns by `deadline` (plus the time to
    // give up the running call) or as soon as the token is cancelled. Never fails as a call: the outcome
    // tells.
    Outcome generate(const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel,
                     const RunOptions& options = {});

private:
    friend class Chain;

    // Slots come and go on other threads: a walk reads the count, looks at its providers, and when none is
    // ready waits for the count to move on, so that no slot freed in between is missed.
    uint64_t slotsFreed();
    void slotFreed();
    // Blocks until the count differs from `seen`, `until` has come, or the token is cancelled.
    CancelReason waitForSlot(uint64_t seen, SteadyTime until, CancelToken& cancel);

    EngineDeps deps_;
    std::mutex mutex_;
    std::condition_variable slot_freed_;
    uint64_t slots_freed_ = 0;
    int waiting_ = 0;
};

}  // namespace stepper::engine
