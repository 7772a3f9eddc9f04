// Writes down what is used of the providers' quotas before it is used, and what providers asked for when they
// did, so that a restart, however sudden, spends neither a day nor a minute twice and leaves alone whoever
// asked for it. Moments are by the store's time.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/cancel.h"
#include "core/limits/gate.h"
#include "core/store/store.h"
#include "core/telemetry/complaint.h"

namespace stepper::engine {

// Safe from any thread. One thread of its own writes, for all providers that have something to be written at
// that moment. A store that fails or is slow is complained of and left alone for a while: requests go on
// without.
class QuotaJournal {
public:
    // A write that takes longer is not waited for.
    static constexpr milliseconds kPatience{1'000};

    // Both must outlive it.
    QuotaJournal(store::Store& store, const Clock& clock);
    ~QuotaJournal();

    // Takes over what an earlier process wrote of this provider.
    void restore(const std::string& provider, limits::Gate& gate) const;
    // Returns when a crash cannot forget this pass: at once in most cases, else after a write, but at
    // `until`, after kPatience or when cancelled in any case.
    void cover(const std::string& provider, const std::shared_ptr<limits::Gate>& gate,
               const limits::Pass& pass, SteadyTime until, CancelToken& cancel);
    // Returns when a crash cannot forget what the provider asked for, or as cover() does otherwise; at once
    // when that is nothing new.
    void keepStanding(const std::string& provider, const std::shared_ptr<limits::Gate>& gate,
                      SteadyTime until, CancelToken& cancel);
    // At the end, when nobody calls cover() any more: exactly what was used.
    void close(const std::string& provider, limits::Gate& gate);

private:
    using Wanted = std::map<std::string, std::shared_ptr<limits::Gate>>;

    // With the lock held, as giveUp().
    bool ensureThread();
    // Has this gate written and returns when that is done, or nobody waits for it any longer.
    void await(const std::string& provider, const std::shared_ptr<limits::Gate>& gate,
               const std::function<bool()>& is_done, SteadyTime until, CancelToken& cancel);
    void loop();
    // Without the lock; tells the gates what was written of them.
    Result<void> write(const Wanted& gates);
    store::Note noteOf(std::string_view prefix, const std::string& provider, const std::string& text) const;
    void giveUp(std::string_view reason);
    void stop();

    store::Store& store_;
    const Clock& clock_;
    std::map<std::string, std::string, std::less<>> earlier_;  // as read at the start

    std::mutex mutex_;
    std::condition_variable work_, written_;
    Wanted wanted_;  // to be written next
    bool stop_ = false;
    SteadyTime leave_alone_until_{};
    Complaint trouble_{"what is used of quotas cannot be stored"};
    std::thread thread_;
};

}  // namespace stepper::engine
