// What becomes of a job after its request was run once. Pure, any thread.
#pragma once
#include <variant>

#include "core/engine/request.h"
#include "core/store/store.h"

namespace stepper::jobs {

struct Policy {
    int max_attempts = 5;
    store::CacheTimes cache{milliseconds{2'700'000}, milliseconds{3'600'000}};
};

using Decision = std::variant<store::Ending, store::Postponement>;

// An answer, the fallback, and a failure that no later attempt can mend end the job. Other failures bring it
// back after the longer of the backoff and what the providers asked for. When no provider could be asked the
// job waits for the soonest and no attempt is burnt. `chance` is uniform in [0, 1).
Decision decide(const engine::Outcome& outcome, const store::Claimed& job, const Policy& policy,
                double chance);

// What the store does with jobs whose worker died without a word.
store::CrashPolicy crashPolicy();

// Full jitter: a random share of min(60 s, 2 s * 2^attempts).
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
milliseconds backoff(int attempts, double chance);

}  // namespace stepper::jobs
