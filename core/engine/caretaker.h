// Looks after providers while nobody asks them anything: tries their keys now and then (`probe_every`), so
// that a refused one is known before a request finds out, and keeps awake what falls asleep (`keep_warm`).
// Takes nothing of their quotas: a plugin's probe costs nothing.
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/cancel.h"
#include "core/engine/snapshot.h"
#include "core/transport/transport.h"

namespace stepper::engine {

// One visit after the other, on a thread of its own. start(), look() and close() may be called from any
// thread.
class Caretaker {
public:
    // All must outlive it.
    Caretaker(const SnapshotHolder& snapshots, transport::Transport& transport, const Clock& clock)
        : snapshots_(snapshots), transport_(transport), clock_(clock) {}
    ~Caretaker() { close(); }

    void start();
    // Providers have changed.
    void look();
    // Ends a visit that is under way.
    void close();

    // Makes the visits that are due; when the next one is, max() when there is none. For one thread.
    SteadyTime round(CancelToken& cancel);

private:
    using Kind = Chronicle::Kind;
    // When each was visited last, or found to be awake, and with which keys.
    struct Last {
        SteadyTime at;
        std::vector<size_t> targets;
    };
    using Rota = std::map<std::pair<std::string, Kind>, Last>;

    void loop();
    void visit(const ProviderEntry& provider, Kind kind, CancelToken& cancel);
    void tryKey(const ProviderEntry& provider, size_t place, Kind kind, CancelToken& cancel,
                Chronicle::Visit& found);

    const SnapshotHolder& snapshots_;
    transport::Transport& transport_;
    const Clock& clock_;
    Rota rota_;
    CancelSource closing_{CancelReason::Draining};

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false, changed_ = false;
    std::thread thread_;
};

}  // namespace stepper::engine
