// How many quick retries a provider may cost: a share of its calls, so that a provider in trouble is not met
// with twice the load. Pure; not synchronised. The idea is Finagle's:
// https://finagle.github.io/finagle/Glossary.html
//
// Every call, a retry too, deposits 0.14 of a retry; at most 3 are saved up, and it starts with those. Every
// 10 s without a call deposit one more, so that a quiet provider always has a few. Hence n first attempts
// less than 10 s apart have r <= 3 + 0.14 (n + r) retries, whatever was before: from n = 100 on never more
// than a fifth.
#pragma once
#include "core/base/clock.h"

namespace stepper::limits {

class RetryBudget {
public:
    // A call goes out.
    void called(SteadyTime now);
    // Takes one retry; false when there is none.
    bool tryTake(SteadyTime now);

private:
    void deposit(int hundredths);
    void depositSilence(SteadyTime now);

    static constexpr int kRetry = 100, kShare = 14, kMost = 3 * kRetry;  // hundredths of a retry
    static constexpr milliseconds kSilence{10'000};
    int saved_ = kMost;
    SteadyTime silent_since_{};
};

}  // namespace stepper::limits
