// What becomes of a job after its request was run once. Pure, any thread.
#pragma once
#include <variant>

#include "core/engine/request.h"
#include "core/store/store.h"

namespace stepper::jobs {

struct Policy {
    int max_attempts = 5, max_calls = 6;
    milliseconds max_wait{86'400'000};  // for a provider to be ready, since the job came
    store::CacheTimes cache{milliseconds{2'700'000}, milliseconds{3'600'000}};
    bool failures_fail = false;  // instead of the fallback
};

struct Moment {
    milliseconds waited{0};                 // from when the job came to when the run began
    std::optional<milliseconds> time_left;  // of its time limit, when the run ended
};

using Decision = std::variant<store::Ending, store::Postponement>;

// An answer, the fallback, and a failure that no later attempt can mend end the job, as does the end of its
// time. Other failures bring it back after the longer of the backoff and what the providers asked for. No
// attempt is burnt when none told of the request: when none could be asked, it waits for the soonest; when
// those that were are down, for the outage's pause, or for one that was passed over; a job that has failed
// for minutes comes up to another minute later, so that the circuits it may itself have opened are tried by
// somebody else. What is told of a run in which nobody was asked is the story of the one before. `chance` is
// uniform in [0, 1).
Decision decide(const engine::Outcome& outcome, const store::Claimed& job, const Policy& policy,
                const Moment& moment, double chance);

// What the earlier runs of a job came to, as the last Postponement's meta keeps it.
engine::Tried triedBefore(const store::Claimed& job, const Policy& policy);

// What the store does with jobs whose worker died without a word.
store::CrashPolicy crashPolicy();

// Full jitter: a random share of min(60 s, 2 s * 2^attempts).
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
milliseconds backoff(int attempts, double chance);

// How long to leave providers alone that are down, without a count of how often that was tried: from half of
// to all of the time for which the job has waited, between 2 s and 5 min.
milliseconds outagePause(milliseconds waited, double chance);

}  // namespace stepper::jobs
