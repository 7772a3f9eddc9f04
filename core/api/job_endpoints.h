// /v1/jobs and /v1/reports/{id}: ask for jobs, wait for them, follow them, drop them.
#pragma once
#include "core/api/job_pages.h"
#include "core/http/http.h"
#include "core/jobs/job_service.h"

namespace stepper::api {

// Borrows everything; handlers run on any thread.
class JobEndpoints {
public:
    JobEndpoints(jobs::JobService& jobs, const Clock& clock, Metrics& metrics,
                 std::shared_ptr<http::ByteBudget> bodies)
        : jobs_(jobs), metrics_(metrics), pages_(jobs.store(), clock, std::move(bodies)) {}

    // ?wait=SECONDS waits until the job is finished; with &until=change only until its state moved on.
    http::Response get(const http::Request& request);
    // Server-sent events `state`, `progress` and `result`. Last-Event-ID (or ?lastEventId=, for clients that
    // cannot send headers) goes on where the stream broke off.
    http::Response events(const http::Request& request);
    // Cancels a live job, purges a finished one, once nobody else wants it; ?force=true does not ask.
    http::Response drop(const http::Request& request) const;
    // ?state=&limit=&before=
    http::Response list(const http::Request& request) const;

private:
    http::Response answer(const http::Request& request, store::Job job);

    jobs::JobService& jobs_;
    Metrics& metrics_;
    JobPages pages_;
};

}  // namespace stepper::api
