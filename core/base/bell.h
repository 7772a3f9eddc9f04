// How a thread that sleeps is woken by others.
#pragma once
#include <condition_variable>
#include <mutex>

#include "core/base/clock.h"

namespace stepper {

// wake() may be called from any thread, with locks held: it does not block, and takes at most a lock under
// which nobody begins or ends to listen.
class Sleeper {
public:
    virtual void wake() noexcept = 0;

protected:
    ~Sleeper() = default;
};

// One thread sleeps on it. Needs no descriptor.
class Bell final : public Sleeper {
public:
    void wake() noexcept override {
        std::lock_guard lock(mutex_);
        rung_ = true;
        rings_.notify_one();
    }
    // Until it rings or then; at once when it rang since the last sleep.
    void sleepUntil(SteadyTime until) {
        std::unique_lock lock(mutex_);
        rings_.wait_until(lock, until, [this] { return rung_; });
        rung_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable rings_;
    bool rung_ = false;
};

}  // namespace stepper
