#include "core/jobs/waiters.h"

namespace stepper::jobs {

void Waiters::notify(const std::string& job_id) {
    std::lock_guard lock(mutex_);
    const auto [begin, end] = tickets_.equal_range(job_id);
    for (auto it = begin; it != end; ++it) {
        it->second->changed_ = true;
        it->second->bell_.wake();
    }
}

void Waiters::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& [id, ticket] : tickets_) ticket->bell_.wake();
}

Waiters::Ticket::Ticket(Waiters& waiters, const std::string& job_id)
    : waiters_(waiters), place_([&] {
          std::lock_guard lock(waiters.mutex_);
          return waiters.tickets_.emplace(job_id, this);
      }()) {}

Waiters::Ticket::~Ticket() {
    std::lock_guard lock(waiters_.mutex_);
    waiters_.tickets_.erase(place_);
}

std::optional<Waiters::Ticket::Woken> Waiters::Ticket::woken() {
    std::lock_guard lock(waiters_.mutex_);
    if (waiters_.closed_) return Woken::Stopped;
    if (changed_) return Woken::Changed;
    return std::nullopt;
}

Waiters::Ticket::Woken Waiters::Ticket::sleep(CancelToken client, SteadyTime until) {
    CancelToken::Alert alert(client, bell_);
    for (;;) {
        if (client.check() != CancelReason::None) return Woken::Stopped;
        if (const auto by = woken()) return *by;
        if (std::chrono::steady_clock::now() >= until) return Woken::Time;
        bell_.sleepUntil(alert.lookBy(until));
    }
}

}  // namespace stepper::jobs
