// Who goes next: finds a provider for a request that is ready now, and lets requests that must wait go in
// turn. The threads and the lock around a WaitingLine.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>

#include "core/base/cancel.h"
#include "core/engine/waiting_line.h"

namespace stepper::engine {

// Safe from any thread.
class Dispatcher {
public:
    explicit Dispatcher(const Clock& clock) : clock_(clock) {}

    struct Admission {
        Choice choice;
        CancelReason cancelled = CancelReason::None;  // why waiting was given up
    };
    // Without waiting.
    Admission tryEnter(std::span<const Candidate> candidates, const limits::Demand& demand);
    // Waits while there is hope, at most until then. Candidates must not change meanwhile.
    Admission enter(std::span<const Candidate> candidates, const limits::Demand& demand,
                    std::string_view tenant, SteadyTime until, CancelToken& cancel);

    // How many requests wait now.
    int waiting() const { return waiting_; }

    // After a slot was given back or a gate changed.
    void roomMade();

    // What is left for jobs of the room there is, as requests that wait go first but for one entry in five.
    // Called when jobs are waiting.
    limits::Gate::Room roomForJobs(limits::Gate::Room there_is);
    // Told whenever there may be more room. Set before the first request.
    void setListener(std::function<void()> room_made) { room_made_ = std::move(room_made); }

private:
    struct Parked;

    void serve();
    void tell(const WaitingLine::Waiters& changed);
    void leave(Parked& waiter);

    const Clock& clock_;
    std::function<void()> room_made_;
    std::mutex mutex_;
    WaitingLine line_;
    std::atomic<int> waiting_{0};  // in line_, for looks without the lock
};

}  // namespace stepper::engine
