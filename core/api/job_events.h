// The event stream of one job.
#pragma once
#include <string>

#include "core/http/http.h"
#include "core/jobs/job_service.h"

namespace stepper::api {

// Tells what changed after version `seen`, then each change as it comes, until the job is final, the client
// leaves or the server drains. A result that was written counts as delivered. Blocks the calling thread.
void streamJob(jobs::JobService& jobs, const Clock& clock, const std::string& id, int64_t seen,
               http::Stream& stream);

}  // namespace stepper::api
