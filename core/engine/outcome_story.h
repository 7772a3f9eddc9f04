// What became of a request in one line, for the log. Pure, any thread.
#pragma once
#include "core/engine/request.h"

namespace stepper::engine {

// "one: HTTP 503 (UPSTREAM_UNAVAILABLE); two: rate_limited, ready in 7s": every provider of the plan with
// what it said, or why it was passed over. Cut where it becomes long.
std::string storyOf(const std::vector<AttemptRecord>& attempts);

}  // namespace stepper::engine
