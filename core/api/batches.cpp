// Many requests as one job.
#include "core/api/answer.h"
#include "core/api/batch_request.h"
#include "core/api/job_view.h"
#include "core/api/queued.h"
#include "core/api/rate_headers.h"
#include "core/api/refusal.h"
#include "core/api/request_remarks.h"
#include "core/api/routes.h"
#include "core/api/tenant.h"
#include "core/engine/plan.h"
#include "core/jobs/identity.h"

namespace stepper::api {
namespace {

// Of the batch and of its items; a sentence when one that asked to be strict has any, or names a model that
// nobody has.
Result<Remarks> remarksOn(const http::Request& request, const ParsedBatch& batch,
                          const engine::Snapshot& snapshot) {
    Remarks all = batch.remarks;
    remarkOnQuery(request, {}, all);
    remarkOnHeaders(request, Use::Job, all);
    for (size_t i = 0; i < batch.items.size(); ++i) {
        const ParsedRequest& item = batch.items[i].parsed;
        if (const auto problem = engine::modelProblem(snapshot, item.request))
            return refusal("items[" + std::to_string(i) + "].request: " + problem->message);
        Remarks own = item.remarks;
        remarkOnProviders(item.request, snapshot, own);
        Remarks placed;
        placed.addAll(own, "items[" + std::to_string(i) + "].request.");
        if (item.strict && !placed.empty()) return refusal(placed.refusal());
        all.addAll(placed, "");
    }
    if (batch.strict && !all.empty()) return refusal(all.refusal());
    return all;
}

jobs::SubmittedItem itemOf(const ParsedItem& item, bool redact) {
    const auto& p = item.parsed;
    const bool bypass = p.cache_control == CacheControl::NoCache;
    return {item.id,
            p.kind,
            item.body,
            bypass ? std::string() : jobs::cacheKeyOf(p.request, p.cache_key, redact),
            p.cache_control == CacheControl::Default,
            p.priority,
            p.max_duration};
}

// Where it cannot start when it should, what has a key may still be a repeat of what could.
jobs::BatchSubmission submissionOf(const http::Request& request, const ParsedBatch& wanted,
                                   const std::vector<std::string>& warnings, bool redact,
                                   const Result<milliseconds>& start_in) {
    jobs::BatchSubmission out;
    auto [tenant, key] = tenancyOf(request, wanted.tenant_id);
    out.tenant = std::move(tenant);
    out.idempotency_key = std::move(key);
    out.body = withoutMark(request.body);
    out.concurrency = wanted.concurrency;
    out.priority = wanted.priority;
    out.time_limit = wanted.max_duration;
    out.meta = batchMeta(warnings);
    for (const auto& item : wanted.items) out.items.push_back(itemOf(item, redact));
    out.only_repeat = !start_in && !out.idempotency_key.empty();
    if (start_in) out.start_in = *start_in;
    return out;
}

class Batches {
public:
    explicit Batches(const ApiDeps& deps) : deps_(deps) {}

    http::Response post(const http::Request& request) const;

private:
    // The refusal of a batch with an item that no provider could ever take and nothing has answered.
    std::optional<http::Response> tooLargeItem(const http::Request& request, const ParsedBatch& wanted,
                                               const jobs::BatchSubmission& submission) const;

    const ApiDeps deps_;
};

std::optional<http::Response> Batches::tooLargeItem(const http::Request& request, const ParsedBatch& wanted,
                                                    const jobs::BatchSubmission& submission) const {
    for (size_t i = 0; i < wanted.items.size(); ++i) {
        const auto& item = submission.items[i];
        const auto outcome = tooLarge(deps_, wanted.items[i].parsed, item.cache_key);
        if (!outcome) continue;
        const engine::Failure& why = *outcome->failure;
        return http::Response::error(why.http_status, why.code,
                                     "items[" + std::to_string(i) + "].request: " + why.message, request.id);
    }
    return std::nullopt;
}

http::Response Batches::post(const http::Request& request) const {
    const auto snapshot = deps_.snapshots.get();
    const auto& limits = snapshot->config.batch;
    const auto parsed = parseBatch(request.body, limits.max_items, limits.max_concurrency);
    if (!parsed) return badRequest(parsed.error(), request.id);
    if (auto bad = badIdempotencyKey(request)) return std::move(*bad);
    const ParsedBatch& wanted = *parsed;
    const auto remarks = remarksOn(request, wanted, *snapshot);
    if (!remarks) return badRequest(remarks.error(), request.id);
    const auto warnings = remarks->warnings();

    const auto start_in = delayUntil(wanted.start, deps_.clock.wall());
    const auto submission =
        submissionOf(request, wanted, warnings, snapshot->config.security.redact, start_in);
    if (!start_in && !submission.only_repeat) return badRequest(start_in.error(), request.id);
    if (submission.idempotency_key.empty())
        if (auto refused = tooLargeItem(request, wanted, submission)) return *std::move(refused);

    const auto done = deps_.jobs.submitBatch(submission);
    if (!done) return storeUnavailable(done.error(), request.id);
    if (done->how == jobs::Submitted::How::Conflict) return conflict(request);
    if (done->how == jobs::Submitted::How::NotMade) return badRequest(start_in.error(), request.id);
    const bool replayed = done->how == jobs::Submitted::How::Repeated;
    auto out =
        accepted({done->job_id, RequestKind::Generate, std::pair(wanted.items.size(), wanted.concurrency),
                  warnings, replayed ? std::nullopt : startOf(submission, deps_.clock.wall())});
    addRateLimit(out, *snapshot, deps_.clock.now());
    if (replayed) out.headers.emplace_back("Idempotent-Replayed", "true");
    return out;
}

}  // namespace

Routes batchRoutes(const ApiDeps& deps) {
    return {{"POST", "/v1/generate/batch", "Queue many requests as one job", http::Body::Json,
             http::Role::Client, on(std::make_shared<const Batches>(deps), &Batches::post)}};
}

}  // namespace stepper::api
