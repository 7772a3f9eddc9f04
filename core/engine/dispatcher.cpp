#include "core/engine/dispatcher.h"

#include <algorithm>

namespace stepper::engine {

// A waiter with the thread that waits. Belongs to the line while `waits`, so it leaves before it goes, also
// when what is done for it throws.
struct Dispatcher::Parked : WaitingLine::Waiter {
    Bell bell = {};
};

Dispatcher::Admission Dispatcher::tryEnter(std::span<const Candidate> candidates,
                                           const limits::Demand& demand) {
    Admission admission{choose(candidates, demand, clock_.now(), nullptr)};
    if (!admission.choice.index || waiting_ == 0) return admission;
    std::lock_guard lock(mutex_);
    if (line_.jobEntered()) serve();
    return admission;
}

Dispatcher::Admission Dispatcher::enter(std::span<const Candidate> candidates, const limits::Demand& demand,
                                        std::string_view tenant, SteadyTime until, CancelToken& cancel) {
    if (waiting_ == 0) {
        Admission admission{choose(candidates, demand, clock_.now(), nullptr)};
        if (admission.choice.index || !admission.choice.hopeful(until)) return admission;
    }
    Parked self{{candidates, demand, tenant, until}};
    CancelToken::Alert alert(cancel, self.bell);
    CancelReason cancelled = cancel.check();
    std::unique_lock lock(mutex_);
    line_.join(self);
    try {
        // Before the gates are looked at: whoever gives a slot back after that look has to see us.
        waiting_ = line_.size();
        tell(line_.consider(self, clock_.now()));
        while (self.waits) {
            const SteadyTime now = clock_.now();
            if (now >= until || cancelled != CancelReason::None) {
                leave(self);
            } else if (now >= self.look_at) {
                serve();
            } else {
                const SteadyTime::duration pause = std::min(self.look_at, until) - now;
                lock.unlock();
                self.bell.sleepUntil(alert.lookBy(std::chrono::steady_clock::now() + pause));
                cancelled = cancel.check();
                lock.lock();
            }
        }
    } catch (...) {
        if (self.waits) leave(self);
        throw;
    }
    return {std::move(self.choice), self.choice.index ? CancelReason::None : cancelled};
}

// Called with the lock held, as serve() is.
void Dispatcher::leave(Parked& waiter) {
    line_.leave(waiter);
    waiting_ = line_.size();
}

void Dispatcher::serve() { tell(line_.serve(clock_.now())); }

void Dispatcher::tell(const WaitingLine::Waiters& changed) {
    for (auto* waiter : changed) static_cast<Parked*>(waiter)->bell.wake();
    waiting_ = line_.size();
}

void Dispatcher::roomMade() {
    if (waiting_ > 0) {
        std::lock_guard lock(mutex_);
        serve();
    }
    if (room_made_) room_made_();
}

limits::Gate::Room Dispatcher::roomForJobs(limits::Gate::Room there_is) {
    if (waiting_ == 0) return there_is;
    std::lock_guard lock(mutex_);
    const int left = line_.jobsWait() ? 1 : there_is.now - line_.size();
    return {std::clamp(left, 0, there_is.now), there_is.more_at};
}

}  // namespace stepper::engine
