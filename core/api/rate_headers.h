// Tells clients how much the providers would take, so that they need not find out by a 429.
#pragma once
#include "core/engine/snapshot.h"
#include "core/http/http.h"

namespace stepper::api {

// Adds `RateLimit: "providers";r=REMAINING;t=SECONDS` and X-RateLimit-Limit, -Remaining and -Reset, where an
// enabled provider has a quota of requests. Remaining: what all enabled providers would take at once, at most
// the limit, which is the sum of each one's smallest quota. Reset: seconds until there is room again, 0 while
// there is some.
void addRateLimit(http::Response& response, const engine::Snapshot& snapshot, SteadyTime now);

// The smallest quota of requests, whatever its window; none without one.
std::optional<int64_t> smallestQuota(const config::Limits& limits);

}  // namespace stepper::api
