#include "core/engine/dispatcher.h"

#include <algorithm>
#include <condition_variable>

namespace stepper::engine {
namespace {

// How late a waiting request may notice that its client is gone.
constexpr milliseconds kCancelCheck{100};

}  // namespace

// A waiter with the thread that waits.
struct Dispatcher::Parked : WaitingLine::Waiter {
    std::condition_variable bell = {};
};

Dispatcher::Turn Dispatcher::tryEnter(std::span<const Candidate> candidates, const limits::Demand& demand) {
    Turn turn{choose(candidates, demand, clock_.now(), nullptr)};
    if (!turn.choice.index || waiting_ == 0) return turn;
    std::lock_guard lock(mutex_);
    if (line_.jobEntered()) serve();
    return turn;
}

Dispatcher::Turn Dispatcher::enter(std::span<const Candidate> candidates, const limits::Demand& demand,
                                   std::string_view tenant, SteadyTime until, CancelToken& cancel) {
    if (waiting_ == 0) {
        Turn turn{choose(candidates, demand, clock_.now(), nullptr)};
        if (turn.choice.index || !turn.choice.hopeful(until)) return turn;
    }
    std::unique_lock lock(mutex_);
    Parked self{{candidates, demand, tenant, until}};
    line_.join(self);
    // Before the gates are looked at: whoever gives a slot back after that look has to see us.
    waiting_ = line_.size();
    serve();
    CancelReason cancelled = CancelReason::None;
    while (self.waits) {
        const SteadyTime now = clock_.now();
        if (now >= until || cancelled != CancelReason::None) {
            line_.leave(self);
            waiting_ = line_.size();
        } else if (now >= self.look_at) {
            serve();
        } else {
            self.bell.wait_for(lock, std::min<SteadyTime::duration>(self.look_at - now, kCancelCheck));
            if (!self.waits) break;
            lock.unlock();
            cancelled = cancel.check();
            lock.lock();
        }
    }
    return {std::move(self.choice), self.choice.index ? CancelReason::None : cancelled};
}

// Called with the lock held.
void Dispatcher::serve() {
    for (auto* waiter : line_.serve(clock_.now())) static_cast<Parked*>(waiter)->bell.notify_one();
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
