#include "core/limits/retry_budget.h"

#include <algorithm>
#include <cstdint>

namespace stepper::limits {

void RetryBudget::called(SteadyTime now) {
    depositSilence(now);
    silent_since_ = std::max(silent_since_, now);
    deposit(kShare);
}

bool RetryBudget::tryTake(SteadyTime now) {
    depositSilence(now);
    if (saved_ < kRetry) return false;
    saved_ -= kRetry;
    return true;
}

void RetryBudget::deposit(int hundredths) { saved_ = std::min(saved_ + hundredths, kMost); }

void RetryBudget::depositSilence(SteadyTime now) {
    const auto earned = std::max<int64_t>((now - silent_since_) / kSilence, 0);
    silent_since_ += earned * kSilence;
    deposit(static_cast<int>(std::min<int64_t>(earned * kRetry, kMost)));
}

}  // namespace stepper::limits
