// Work for the queue: accepted, or answered from the cache.
#include "core/api/answer.h"
#include "core/api/generate_request.h"
#include "core/api/job_view.h"
#include "core/api/json_answer.h"
#include "core/api/queued.h"
#include "core/api/rate_headers.h"
#include "core/api/refusal.h"
#include "core/api/request_remarks.h"
#include "core/api/routes.h"
#include "core/api/tenant.h"
#include "core/base/text.h"
#include "core/engine/outcome_json.h"
#include "core/engine/plan.h"
#include "core/jobs/identity.h"
#include "core/report/commit_report.h"

namespace stepper::api {
namespace {

using jobs::Submitted;

std::string_view cacheWord(const Submitted& s, bool bypass) {
    if (bypass) return "BYPASS";
    return s.how == Submitted::How::Coalesced ? "COALESCED" : "MISS";
}

// Where it cannot start when it should, what has a key may still be a repeat of what could.
jobs::Submission submissionOf(const http::Request& request, const ParsedRequest& wanted, bool redact,
                              const Result<milliseconds>& start_in) {
    jobs::Submission out;
    out.kind = wanted.kind;
    out.body = withoutMark(request.body);
    auto [tenant, key] = tenancyOf(request, wanted.request);
    out.tenant = std::move(tenant);
    out.idempotency_key = std::move(key);
    if (wanted.cache_control != CacheControl::NoCache)
        out.cache_key = jobs::cacheKeyOf(wanted.request, wanted.cache_key, redact);
    out.read_cache = wanted.cache_control == CacheControl::Default;
    out.time_limit = wanted.max_duration;
    out.priority = wanted.priority.value_or(out.priority);
    out.only_repeat = !start_in && !out.idempotency_key.empty();
    if (start_in) out.start_in = *start_in;
    return out;
}

class Submit {
public:
    explicit Submit(const ApiDeps& deps) : deps_(deps) {}

    http::Response generate(const http::Request& request) const {
        return enqueue(request, parseRequest(RequestKind::Generate, request.body));
    }
    http::Response report(const http::Request& request) const {
        return enqueue(request, parseRequest(RequestKind::Report, request.body));
    }
    // ?userId&commitSha[&template]
    http::Response forgetReport(const http::Request& request) const;

private:
    http::Response enqueue(const http::Request& request, const Result<ParsedRequest>& parsed) const;
    http::Response fromCache(const cache::Hit& hit, const jobs::Submission& wanted,
                             const Remarks& remarks) const;

    const ApiDeps deps_;
};

http::Response Submit::enqueue(const http::Request& request, const Result<ParsedRequest>& parsed) const {
    if (!parsed) return badRequest(parsed.error(), request.id);
    const ParsedRequest& wanted = *parsed;
    if (auto bad = badIdempotencyKey(request)) return std::move(*bad);
    const auto snapshot = deps_.snapshots.get();
    Remarks remarks = wanted.remarks;
    remarkOnProviders(wanted.request, *snapshot, remarks);
    remarkOnQuery(request, {}, remarks);
    remarkOnHeaders(request, Use::Job, remarks);
    if (wanted.strict && !remarks.empty()) return badRequest(remarks.refusal(), request.id);
    if (const auto problem = engine::modelProblem(*snapshot, wanted.request))
        return badRequest(problem->message, request.id);
    const auto start_in = delayUntil(wanted.start, deps_.clock.wall());
    const auto submission = submissionOf(request, wanted, snapshot->config.security.redact, start_in);
    if (!start_in && !submission.only_repeat) return badRequest(start_in.error(), request.id);

    // A key names the job that it has made, whatever is known by now.
    if (submission.idempotency_key.empty())
        if (const auto failed = tooLarge(deps_, wanted, submission.cache_key))
            return immediateAnswer(*failed, wanted.kind, request.id, remarks.warnings());

    const auto done = deps_.jobs.submit(submission);
    if (!done) return storeUnavailable(done.error(), request.id);
    if (done->how == Submitted::How::Conflict) return conflict(request);
    if (done->how == Submitted::How::NotMade) return badRequest(start_in.error(), request.id);
    const bool replayed = done->how == Submitted::How::Repeated;
    if (done->hit) {
        if (!replayed) deps_.metrics.cacheHit(done->hit->stale ? "stale" : "fresh", wanted.request.labels());
        auto out = fromCache(*done->hit, submission, remarks);
        if (replayed) out.headers.emplace_back("Idempotent-Replayed", "true");
        return out;
    }
    const bool bypass = wanted.cache_control == CacheControl::NoCache;
    if (done->how == Submitted::How::Queued && !bypass && submission.start_in == milliseconds{0})
        deps_.metrics.cacheMiss(wanted.request.labels());
    auto out = accepted({done->job_id,
                         wanted.kind,
                         {},
                         remarks.warnings(),
                         replayed ? std::nullopt : startOf(submission, deps_.clock.wall())});
    addRateLimit(out, *snapshot, deps_.clock.now());
    if (replayed) {
        out.headers.emplace_back("Idempotent-Replayed", "true");
    } else if (submission.start_in == milliseconds{0}) {
        out.headers.emplace_back("X-Cache", cacheWord(*done, bypass));
    }
    return out;
}

http::Response Submit::fromCache(const cache::Hit& hit, const jobs::Submission& wanted,
                                 const Remarks& remarks) const {
    auto out = http::Response::json(200, cachedJson(*hit.answer, hit.stale, wanted.kind, remarks.warnings()));
    out.repeatable = true;
    out.headers.emplace_back("X-Cache", hit.stale ? "STALE" : "HIT");
    out.headers.emplace_back("Age", std::to_string(std::max<int64_t>(hit.age.count(), 0) / 1000));
    if (deps_.jobs.deliversOnce(wanted.kind))
        out.delivered = [this, kind = wanted.kind, key = wanted.cache_key, made_by = hit.answer->job_id] {
            deps_.jobs.delivered(kind, key, made_by);
        };
    return out;
}

http::Response Submit::forgetReport(const http::Request& request) const {
    const auto user = trim(request.queryValue("userId").value_or(""));
    const auto commit = trim(request.queryValue("commitSha").value_or(""));
    if (user.empty() || commit.empty())
        return badRequest("Missing required query parameters: userId, commitSha", request.id);
    std::optional<std::string> wording;
    if (const auto text = request.queryValue("template"); text && !trim(*text).empty())
        wording = std::string(trim(*text));
    const auto key = report::keyOf("", user, commit, wording);
    const auto done = deps_.jobs.cache().forget(key, "");
    if (!done) return storeUnavailable(done.error(), request.id);
    Remarks remarks;
    remarkOnQuery(request, {"userId", "commitSha", "template"}, remarks);
    return jsonAnswer(200, [&](json::Writer& w) {
        json::putBool(w, "success", true);
        json::put(w, "message", "Cache entry deleted");
        engine::putWarnings(w, remarks.warnings());
    });
}

}  // namespace

Routes generateRoutes(const ApiDeps& deps) {
    using http::Body, http::Role;
    const auto submit = std::make_shared<const Submit>(deps);
    return {
        {"POST", "/v1/generate", "Queue a request, or answer it from the cache", Body::Json, Role::Client,
         on(submit, &Submit::generate)},
        {"POST", "/v1/reports", "Queue a commit report, or answer it from the cache", Body::Json,
         Role::Client, on(submit, &Submit::report)},
        {"DELETE", "/v1/reports", "Remove a cached report; ?userId=&commitSha=[&template=]", Body::None,
         Role::Client, on(submit, &Submit::forgetReport)},
    };
}

}  // namespace stepper::api
