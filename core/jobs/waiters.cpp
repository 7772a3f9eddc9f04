#include "core/jobs/waiters.h"

namespace stepper::jobs {

void Waiters::notify(const std::string& job_id) {
    std::lock_guard lock(mutex_);
    const auto [begin, end] = tickets_.equal_range(job_id);
    for (auto it = begin; it != end; ++it) it->second->changed_.cancel();
}

void Waiters::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& [id, ticket] : tickets_) ticket->changed_.cancel();
}

Waiters::Ticket::Ticket(Waiters& waiters, std::string job_id)
    : waiters_(waiters), job_id_(std::move(job_id)) {
    std::lock_guard lock(waiters_.mutex_);
    waiters_.tickets_.emplace(job_id_, this);
    if (waiters_.closed_) changed_.cancel();
}

Waiters::Ticket::~Ticket() {
    std::lock_guard lock(waiters_.mutex_);
    const auto [begin, end] = waiters_.tickets_.equal_range(job_id_);
    for (auto it = begin; it != end; ++it) {
        if (it->second != this) continue;
        waiters_.tickets_.erase(it);
        return;
    }
}

Waiters::Ticket::Woken Waiters::Ticket::sleep(CancelToken client, SteadyTime until) {
    client.watch(changed_);
    const CancelReason reason = client.sleepUntil(until);
    if (reason == CancelReason::None) return Woken::Time;
    if (reason != CancelReason::Requested) return Woken::Stopped;
    std::lock_guard lock(waiters_.mutex_);
    return waiters_.closed_ ? Woken::Stopped : Woken::Changed;
}

}  // namespace stepper::jobs
