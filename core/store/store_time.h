// The time by which a store keeps moments and counts durations: one that cannot be set. It goes with the
// machine's uptime, from one process to the next; only when the machine was started anew the wall clock is
// asked how long it was off, and then it is not believed to have gone back. It begins as wall time. When the
// wall clock is set it goes on as before, and what people are shown follows the wall clock.
#pragma once
#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/store/store.h"

namespace stepper::store {

class StoreTime {
public:
    // `kept` is what an earlier process kept last, "" for nothing. The clock must outlive it.
    StoreTime(const Clock& clock, std::string_view kept);

    // Milliseconds; never goes back. Any thread.
    int64_t now() const;
    // From moments of this time to those that people read: changes only when the wall clock is set. Any
    // thread.
    milliseconds toWall() const;
    // With moments of this time taken for wall time; they become what people read.
    void show(Job& job) const;

    // What is to be kept now; "" while what was kept is good enough. kept(): it is durable. One thread.
    std::string toKeep();
    void kept();

private:
    static constexpr int64_t kNone = std::numeric_limits<int64_t>::min();

    const Clock& clock_;
    int64_t ahead_ = 0;  // of the uptime
    mutable std::atomic<int64_t> to_wall_{0};
    // With less the wall clock is wrong, until it is set.
    mutable std::atomic<int64_t> least_to_wall_{kNone};
    bool kept_once_ = false;
    int64_t kept_at_ = 0, kept_to_wall_ = 0, keeping_to_wall_ = 0;
};

}  // namespace stepper::store
