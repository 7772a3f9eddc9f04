// What a computation over strangers' input may take, and who may end it before it is through.
#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

#include "core/base/error.h"

namespace stepper {

// Why nobody wants the work any more, if so. Called on the working thread, often; does not block.
using Interrupt = std::function<std::optional<Error>()>;

// For one computation, on its thread. A step is what takes some nanoseconds; the interrupt is asked once in
// kLookEvery of them, and not at all of less.
class Effort {
public:
    static constexpr size_t kUnbounded = static_cast<size_t>(-1);
    static constexpr size_t kLookEvery = 1 << 16;  // a millisecond at most

    explicit Effort(size_t steps, Interrupt interrupt = {})
        : at_hand_(std::min(steps, kLookEvery)),
          beyond_(steps - at_hand_),
          interrupt_(std::move(interrupt)) {}

    // False when there are not so many steps left, or once the work was interrupted: then it ends soon.
    bool spend(size_t steps) {
        if (steps > at_hand_) return spendBeyond(steps);
        at_hand_ -= steps;
        return true;
    }
    // Of who asked, when that is why it is over.
    const std::optional<Error>& interruption() const { return interruption_; }

private:
    bool spendBeyond(size_t steps) {
        if (interrupt_ && !interruption_) interruption_ = interrupt_();
        if (interruption_) return at_hand_ = beyond_ = 0, false;
        if (steps - at_hand_ > beyond_) return false;
        beyond_ -= steps - at_hand_;
        at_hand_ = std::min(beyond_, kLookEvery);
        beyond_ -= at_hand_;
        return true;
    }

    size_t at_hand_;  // until the next look
    size_t beyond_;   // behind it
    const Interrupt interrupt_;
    std::optional<Error> interruption_;
};

}  // namespace stepper
