// Who goes next: finds a provider for a request that is ready now, and lets requests that must wait go in
// turn.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/limits/gate.h"

namespace stepper::engine {

// A provider a request may be sent to, in the order of its plan.
struct Candidate {
    limits::Gate* gate = nullptr;
    bool pending = true;      // it may be asked (again)
    SteadyTime not_before{};  // of a quick retry
    SteadyTime hold_until{};  // until then it is waited for rather than passed over
};

struct Choice {
    std::optional<size_t> index;  // the candidate that was entered
    limits::Pass pass;            // its slot
    // When none was ready: the soonest moment one may be, max() when nothing but a call's end can tell; and
    // whether such an end could help.
    SteadyTime soonest = SteadyTime::max();
    bool busy = false;
    // There is something to wait for that comes before `until`.
    bool hopeful(SteadyTime until) const { return busy || soonest < until; }
};

// Denials seen a moment ago, so that a crowd of waiting requests does not ask every gate anew.
using Denials = std::vector<std::pair<const limits::Gate*, limits::Readiness>>;

// Enters the first candidate that is ready now. One that is not keeps those behind it from being taken until
// its hold_until, if it may be ready by then. An open circuit is worth waiting for only for moments.
// `denials` may be null; it is read and added to.
Choice choose(std::span<const Candidate> candidates, const limits::Demand& demand, SteadyTime now,
              Denials* denials);

// Safe from any thread.
class Dispatcher {
public:
    explicit Dispatcher(const Clock& clock) : clock_(clock) {}

    struct Turn {
        Choice choice;
        CancelReason cancelled = CancelReason::None;  // why waiting was given up
    };
    // Without waiting.
    Turn tryEnter(std::span<const Candidate> candidates, const limits::Demand& demand);
    // Waits, at most until then, while there is hope; requests of one tenant go in their order, tenants share
    // what there is by cost. Candidates must not change meanwhile.
    Turn enter(std::span<const Candidate> candidates, const limits::Demand& demand, std::string_view tenant,
               SteadyTime until, CancelToken& cancel);

    // How many requests wait now.
    int waiting() const { return waiting_; }

    // After a slot was given back or a gate changed.
    void roomMade();

    // Whether jobs may take room that others wait for: they get one entry in five. Called when jobs are
    // waiting; room() is what is left for them.
    limits::Gate::Room roomForJobs(limits::Gate::Room there_is);
    // Told whenever there may be more room. Set before the first request.
    void setListener(std::function<void()> room_made) { room_made_ = std::move(room_made); }

private:
    struct Waiter {
        std::span<const Candidate> candidates;
        const limits::Demand& demand;
        std::condition_variable granted = {};
        Choice choice = {};
    };
    // The waiting requests of one tenant.
    struct Flow {
        std::vector<Waiter*> waiters;  // in order of arrival
        double served = 0;             // cost of what it was given, on the common scale of virtual time
    };
    using Flows = std::map<std::string, Flow, std::less<>>;

    void serve();
    bool serveOne(Flow& flow, Denials& denials, SteadyTime now);
    void remove(Flows::iterator flow, const Waiter& waiter);
    bool keptForJobs(SteadyTime now);

    const Clock& clock_;
    std::function<void()> room_made_;
    std::mutex mutex_;
    Flows flows_;
    std::atomic<int> waiting_{0};
    double virtual_time_ = 0;                   // `served` of whoever went last: newcomers begin there
    SteadyTime next_look_ = SteadyTime::max();  // somebody may be ready then
    bool any_busy_ = false;
    int entries_since_job_ = 0;
    bool jobs_wait_ = false;
    SteadyTime kept_until_{};  // room is left for a job until then
};

}  // namespace stepper::engine
