// POST /v1/jobs/retry: which finished jobs are to be run again.
#pragma once
#include "core/api/generate_request.h"
#include "core/store/store.h"

namespace stepper::api {

// Which: those that are named, or those that the filter finds.
struct RetryRequest {
    std::vector<std::string> ids;
    store::RetryFilter filter;
    WallTime until;  // none that ended later
};

// {"ids":[...]}, or any of "state" (failed unless given), "since" and "until" (each a moment, or how long
// ago), "tenantId", "limit". What is not known is refused: without it more would be run than was meant.
// Errors are refusals, see refusal.h. Pure.
Result<RetryRequest> parseRetry(std::string_view text, WallTime now);

}  // namespace stepper::api
