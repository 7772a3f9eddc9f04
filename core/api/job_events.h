// The event stream of one job.
#pragma once
#include <string>

#include "core/api/job_pages.h"
#include "core/http/http.h"
#include "core/jobs/job_service.h"

namespace stepper::api {

// Ids of events grow along a job's stream, and no two events share one, so that whoever received some and
// then lost the connection is sent exactly the others.

// The id that a client sent back, -1 when it is none of this job's: then it is sent everything.
int64_t lastSeen(std::string_view event_id, const store::Job& job);
// Whether no event will ever follow the one with that id.
bool sawAll(const store::Job& job, int64_t seen);

// Tells what came after the event `seen`, then each change as it comes, until the job is final, the client
// leaves or the server drains. A result that was written counts as delivered. Blocks the calling thread.
void streamJob(jobs::JobService& jobs, JobPages& pages, const std::string& id, int64_t seen,
               http::Stream& stream);

}  // namespace stepper::api
