// Requests that wait for a provider, and which of them goes next: a pure machine. Every call is given the
// time; nothing here waits. Not synchronised (Dispatcher locks).
//
// Requests of one tenant go in their order, one that cannot go being passed by those behind it that can;
// tenants share what there is by cost: who was given least goes first (start-time fair queueing, Goyal, Vin
// and Cheng 1996). What one request is denied says nothing of another: each is judged by its own size, its
// own providers and its own patience, and leaves the line as soon as there is nothing left to wait for.
// Jobs, which do not wait here, are left room after every few entries.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/choice.h"

namespace stepper::engine {

class WaitingLine {
public:
    // Owned by who waits, who may not change it meanwhile. `choice` is the outcome once it no longer waits;
    // before, what the last serve() found.
    struct Waiter {
        std::span<const Candidate> candidates;
        limits::Demand demand;
        std::string_view tenant;
        SteadyTime until;
        Choice choice = {};
        bool waits = false;
        SteadyTime look_at = SteadyTime::max();  // by then somebody has to serve() again
    };
    using Waiters = std::vector<Waiter*>;

    // consider() must follow. Throws std::bad_alloc and has done nothing then.
    void join(Waiter& waiter);
    // serve(), if the newcomer could go: it may be another one's turn. Otherwise only the newcomer is judged,
    // for it changes nothing for the others.
    const Waiters& consider(Waiter& newcomer, SteadyTime now);
    // It gives up.
    void leave(Waiter& waiter);
    // To be called when a slot was given back, a gate changed, or somebody's look_at came.
    // Lets in who can go, sends away who has nothing to wait for, and returns both, with those who have to
    // look sooner than they did. What is returned holds until the next call.
    const Waiters& serve(SteadyTime now);
    int size() const { return size_; }

    // Jobs are waiting. Whether it is their turn: serve() keeps what room there is for one, for moments.
    bool jobsWait();
    // A job went in. True when serve() must follow, as room was kept for it.
    bool jobEntered();

private:
    // The waiting requests of one tenant.
    struct Flow {
        Waiters waiters;    // in order of arrival
        double served = 0;  // cost of what it was given, on the common scale of virtual time
    };
    using Flows = std::map<std::string, Flow, std::less<>>;

    // Null when nobody can go; then all choices are of now.
    Waiter* letNextIn(SteadyTime now);
    void lookOver(SteadyTime now);
    // Whether it has to be told something. Who has no hope waits no longer, but is still in its flow.
    bool settle(Waiter& waiter);
    // Out of its flow.
    void take(const Waiter& waiter);
    bool keptForJobs(SteadyTime now);
    int entriesPerJob() const;

    Flows flows_;
    int size_ = 0;
    Waiters changed_;          // with room for all who wait, so that to tell them takes no memory
    double virtual_time_ = 0;  // `served` of whoever went last: newcomers begin there
    int entries_since_job_ = 0;
    int unused_turns_ = 0;  // of jobs, in a row
    bool jobs_wait_ = false;
    SteadyTime kept_until_{};  // room is left for a job until then
};

}  // namespace stepper::engine
