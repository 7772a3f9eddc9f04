// Why a request's walk along its plan brought no answer, as its client and its job are told. Looks at gates,
// changes nothing.
#pragma once
#include <span>
#include <vector>

#include "core/engine/choice.h"
#include "core/engine/request.h"
#include "core/engine/snapshot.h"

namespace stepper::engine {

// AttemptRecord::skipped of a provider that this machine had not the means to ask.
inline constexpr std::string_view kNoResources = "no_resources";
// Likewise, of one whose last word on the job is known, and of one that the job may not cost.
inline constexpr std::string_view kAnsweredBadly = "answered_badly", kNoCallsLeft = "no_calls_left";

// A provider of the plan and what became of it: a record per try, or one that says why it was passed over.
struct Leg {
    const ProviderEntry* provider;
    Candidate candidate;
    std::vector<AttemptRecord> records;
};

struct Situation {
    std::span<const Leg> legs;
    const limits::Demand& demand;
    const std::optional<Error>& stop;        // the error that ended it early
    SteadyTime soonest = SteadyTime::max();  // a provider may be ready, as the last look found
    SteadyTime now = {};
    bool waits = true;                            // for providers to be ready
    bool out_of_time = false, too_short = false;  // too_short: from the beginning
    bool is_job = false, no_calls_left = false;
};

// The failure of a request whose time is up while it could still have waited: its time is what it failed of,
// whatever kept it waiting. The kind and when to come back stay.
Failure pastDeadline(Failure failure);

// What it stands a chance for later is told by Failure::retryable and its kind: too large for everybody is
// neither limited nor worth another try.
Failure conclude(const Situation& at);

}  // namespace stepper::engine
