// Writes down what is used of the providers' quotas before it is used, so that a restart, however sudden,
// spends neither a day nor a minute twice.
#pragma once
#include <map>
#include <mutex>
#include <string>

#include "core/limits/gate.h"
#include "core/store/store.h"
#include "core/telemetry/complaint.h"

namespace stepper::engine {

// Safe from any thread. A store that fails is complained of and left alone for a while: requests go on
// without.
class QuotaJournal {
public:
    // Both must outlive it.
    QuotaJournal(store::Store& store, const Clock& clock);

    // Takes over what an earlier process wrote of this provider.
    void restore(const std::string& provider, limits::Gate& gate) const;
    // Returns when a crash cannot forget this pass: at once in most cases, else after a write.
    void cover(const std::string& provider, limits::Gate& gate, const limits::Pass& pass);
    // At the end: exactly what was used.
    void close(const std::string& provider, limits::Gate& gate);

private:
    void write(const std::string& provider, limits::Gate& gate, bool final);

    store::Store& store_;
    const Clock& clock_;
    std::map<std::string, std::string, std::less<>> earlier_;  // as read at the start
    std::mutex mutex_;  // one write after the other: an older one must not replace a newer one
    SteadyTime leave_alone_until_{};
    Complaint trouble_{"what is used of quotas cannot be stored"};
};

}  // namespace stepper::engine
