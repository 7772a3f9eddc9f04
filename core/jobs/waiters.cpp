#include "core/jobs/waiters.h"

namespace stepper::jobs {

void Waiters::notify(const std::string& job_id) {
    std::lock_guard lock(mutex_);
    const auto [begin, end] = waits_.equal_range(job_id);
    for (auto it = begin; it != end; ++it) {
        it->second->changed_ = true;
        it->second->bell_.wake();
    }
}

void Waiters::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& [id, wait] : waits_) wait->bell_.wake();
}

Waiters::Wait::Wait(Waiters& waiters, const std::string& job_id)
    : waiters_(waiters), place_([&] {
          std::lock_guard lock(waiters.mutex_);
          return waiters.waits_.emplace(job_id, this);
      }()) {}

Waiters::Wait::~Wait() {
    std::lock_guard lock(waiters_.mutex_);
    waiters_.waits_.erase(place_);
}

std::optional<Waiters::Wait::Woken> Waiters::Wait::woken() {
    std::lock_guard lock(waiters_.mutex_);
    if (waiters_.closed_) return Woken::Stopped;
    if (changed_) return Woken::Changed;
    return std::nullopt;
}

Waiters::Wait::Woken Waiters::Wait::sleep(CancelToken client, SteadyTime until) {
    CancelToken::Alert alert(client, bell_);
    for (;;) {
        if (client.check() != CancelReason::None) return Woken::Stopped;
        if (const auto by = woken()) return *by;
        if (std::chrono::steady_clock::now() >= until) return Woken::Time;
        bell_.sleepUntil(alert.lookBy(until));
    }
}

}  // namespace stepper::jobs
