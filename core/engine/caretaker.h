// Looks after providers while nobody asks them anything: tries their keys now and then (`probe_every`), so
// that a refused one is known before a request finds out, or keeps awake what falls asleep (`keep_warm`). A
// probe costs nothing and takes nothing of a quota.
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/cancel.h"
#include "core/engine/snapshot.h"
#include "core/transport/transport.h"

namespace stepper::engine {

// One visit of its kind after the other, on a thread of its own. start(), look(), stop() and close() may be
// called from any thread.
class Caretaker {
public:
    using Kind = Chronicle::Kind;

    // All must outlive it.
    Caretaker(Kind kind, const SnapshotHolder& snapshots, transport::Transport& transport, const Clock& clock)
        : kind_(kind), snapshots_(snapshots), transport_(transport), clock_(clock) {}
    ~Caretaker() { close(); }

    void start();
    // Providers have changed.
    void look();
    // Begins nothing more, and cancels a visit that is under way.
    void stop();
    // Likewise, and returns when it is over.
    void close();

    // Makes the visits that are due; when the next one is, max() when there is none. For one thread.
    SteadyTime round(CancelToken& cancel);

private:
    // When each was visited last, or found to be awake, and with which keys.
    struct Last {
        SteadyTime at;
        std::vector<size_t> targets;
    };

    void loop();
    bool isDutyOf(const ProviderEntry& provider) const;
    milliseconds pauseOf(const ProviderEntry& provider) const;
    std::optional<SteadyTime> lastOf(const ProviderEntry& provider) const;
    void visit(const ProviderEntry& provider, CancelToken& cancel);
    std::optional<Error> probe(const ProviderEntry& provider, CancelToken& cancel);
    std::optional<Error> wake(const ProviderEntry& provider, CancelToken& cancel);
    bool mayGoOn(CancelToken& cancel);

    const Kind kind_;
    const SnapshotHolder& snapshots_;
    transport::Transport& transport_;
    const Clock& clock_;
    std::map<std::string, Last> last_;  // by provider
    CancelSource closing_{CancelReason::Draining};

    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false, changed_ = false;
    std::thread thread_;
};

}  // namespace stepper::engine
