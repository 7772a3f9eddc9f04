// POST /v1/jobs/retry: many finished jobs are run again at once.
#pragma once
#include <variant>

#include "core/api/generate_request.h"
#include "core/http/http.h"
#include "core/jobs/job_service.h"

namespace stepper::api {

// Which: those that are named, or those that the filter finds.
struct RetryRequest {
    std::vector<std::string> ids;
    store::RetryFilter filter;
    WallTime until;  // none that ended later
};

// {"ids":[...]}, or any of "state" (failed unless given), "since" and "until" (each a moment, or how long
// ago), "tenantId", "limit". What is not known is refused: without it more would be run than was meant. Pure.
std::variant<RetryRequest, BadRequest> parseRetry(std::string_view text, WallTime now);

// Borrows everything; any thread.
class Retries {
public:
    Retries(jobs::JobService& jobs, const Clock& clock) : jobs_(jobs), clock_(clock) {}

    // {"jobs":[{"id","jobId"}|{"id","jobId","already":true}|{"id","error"}],"retried","more","until"}. Each
    // is run again once, however often it is asked for. It ends after some seconds; `more` tells whether to
    // ask again, with that `until`: else what was run again and failed anew would be found, too, round after
    // round.
    http::Response many(const http::Request& request) const;

private:
    Result<std::vector<std::string>> chosen(const RetryRequest& wanted) const;

    jobs::JobService& jobs_;
    const Clock& clock_;
};

}  // namespace stepper::api
