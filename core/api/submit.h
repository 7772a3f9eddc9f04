// POST /v1/generate, /v1/reports, /v1/generate/batch: accept work, or answer it from the cache.
#pragma once
#include "core/api/generate_request.h"
#include "core/engine/engine.h"
#include "core/http/http.h"
#include "core/jobs/job_service.h"
#include "core/telemetry/metrics.h"

namespace stepper::api {

// Borrows everything; handlers run on any thread.
class Submit {
public:
    Submit(engine::Engine& engine, jobs::JobService& jobs, const engine::SnapshotHolder& snapshots,
           Metrics& metrics, const Clock& clock)
        : engine_(engine), jobs_(jobs), snapshots_(snapshots), metrics_(metrics), clock_(clock) {}

    http::Response generate(const http::Request& request) const;
    http::Response report(const http::Request& request) const;
    http::Response batch(const http::Request& request) const;
    // POST /v1/jobs/{id}/retry[?items=failed|fallback|all]: a new job from a finished one; of a batch, from
    // those of its items.
    http::Response retry(const http::Request& request) const;
    // DELETE /v1/reports?userId&commitSha[&template]
    http::Response forgetReport(const http::Request& request) const;

private:
    http::Response enqueue(const http::Request& request, const ParsedRequest& wanted, bool report) const;
    // The failure of work that no provider could ever take, none of what is answered already.
    std::optional<engine::Outcome> tooLarge(const ParsedRequest& work, std::string_view kind,
                                            const std::string& cache_key) const;
    http::Response fromCache(const cache::Hit& hit, const jobs::Submission& wanted, bool report,
                             const Remarks& remarks) const;

    engine::Engine& engine_;
    jobs::JobService& jobs_;
    const engine::SnapshotHolder& snapshots_;
    Metrics& metrics_;
    const Clock& clock_;
};

}  // namespace stepper::api
