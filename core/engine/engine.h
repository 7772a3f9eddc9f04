// One request end to end: plan, admit, attempt, classify, validate; the next provider, or the fallback.
#pragma once
#include <mutex>

#include "core/base/cancel.h"
#include "core/engine/dispatcher.h"
#include "core/engine/quota_journal.h"
#include "core/engine/request.h"
#include "core/engine/snapshot.h"
#include "core/engine/usage.h"
#include "core/telemetry/metrics.h"
#include "core/telemetry/recurrence.h"
#include "core/transport/transport.h"

namespace stepper::engine {

// What the engine works with; all of it is borrowed and must outlive the engine.
struct EngineDeps {
    const SnapshotHolder& snapshots;
    transport::Transport& transport;
    Metrics& metrics;
    const Clock& clock;
    QuotaJournal* journal = nullptr;  // where quotas are written down before they are used; null: nowhere
    Usage* usage = nullptr;           // where what is sent is counted; null: nowhere
};

// completed, fallback or failed.
std::string_view statusOf(const Outcome& outcome);

// Safe from any thread; generate() blocks its caller's thread.
class Engine {
public:
    explicit Engine(EngineDeps deps) : deps_(deps), dispatcher_(deps.clock) {}

    // Walks the chain until a provider's answer passes validation. Returns by `deadline` (plus the time to
    // give up the running call) or as soon as the token is cancelled. Never fails as a call: the outcome
    // tells.
    Outcome generate(const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel,
                     const RunOptions& options = {});

    // The failure of a request that is larger than any of its providers can ever take, as generate() would
    // tell it; none of one that somebody might take.
    std::optional<Outcome> tooLarge(const GenerateRequest& request);

    // How many jobs could be started now, as far as can be told without knowing them, and when more could.
    limits::Gate::Room roomForJobs();
    // Limits or providers changed: whoever waits looks again.
    void roomMade() { dispatcher_.roomMade(); }
    // Called, on any thread, whenever there may be more room. Set while nobody generates.
    void onRoom(std::function<void()> listener) { dispatcher_.setListener(std::move(listener)); }

private:
    // `code`: of the failure, also where the fallback took its place.
    void tellOfNoAnswer(const Outcome& outcome, std::string_view code, const RunOptions& options);

    const EngineDeps deps_;
    Dispatcher dispatcher_;
    std::mutex mutex_;                  // the rest
    Recurrences fallbacks_, failures_;  // by code
};

}  // namespace stepper::engine
