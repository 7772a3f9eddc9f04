#include "core/api/queued.h"

#include "core/api/json_answer.h"
#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

constexpr size_t kMaxIdempotencyKey = 256;

// A wait long enough not to be a nuisance, short enough for quick jobs.
constexpr std::string_view kAskAgainSeconds = "1";

}  // namespace

http::Response accepted(const Accepted& a) {
    const bool generates = a.kind != RequestKind::Report;
    const std::string where = (generates ? "/v1/jobs/" : "/v1/reports/") + std::string(a.job_id);
    auto out = jsonAnswer(202, [&](json::Writer& w) {
        json::put(w, "status", "queued");
        json::put(w, "jobId", a.job_id);
        json::put(w, "statusUrl", where);
        if (generates) json::put(w, "contractVersion", kContractVersion);
        if (a.batch) {
            json::putInt(w, "itemCount", static_cast<int64_t>(a.batch->first));
            json::putInt(w, "concurrency", a.batch->second);
        }
        if (a.run_at) json::put(w, "runAt", isoTime(*a.run_at));
        engine::putWarnings(w, a.warnings);
    });
    out.headers.emplace_back("Location", where);
    out.headers.emplace_back("Retry-After", kAskAgainSeconds);
    return out;
}

std::optional<http::Response> badIdempotencyKey(const http::Request& request) {
    if (request.header("idempotency-key").size() <= kMaxIdempotencyKey) return std::nullopt;
    return http::Response::error(400, "BAD_REQUEST", "Invalid Idempotency-Key: at most 256 bytes",
                                 request.id);
}

std::optional<engine::Outcome> tooLarge(const ApiDeps& deps, const ParsedRequest& work,
                                        const std::string& cache_key) {
    auto failed = deps.engine.tooLarge(work.request);
    if (!failed || cache_key.empty() || work.cache_control != CacheControl::Default) return failed;
    const auto hit = deps.jobs.cache().find(cache_key, deps.jobs.deliversOnce(work.kind));
    return hit && *hit ? std::nullopt : std::move(failed);
}

http::Response conflict(const http::Request& request) {
    return http::Response::error(
        422, "BAD_REQUEST",
        "This Idempotency-Key was used with another request; use a new key for a new "
        "request",
        request.id);
}

}  // namespace stepper::api
