#include "core/api/submit.h"

#include "core/api/answer.h"
#include "core/api/batch_request.h"
#include "core/api/job_view.h"
#include "core/api/rate_headers.h"
#include "core/api/request_remarks.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/engine/outcome_json.h"
#include "core/engine/plan.h"
#include "core/jobs/identity.h"

namespace stepper::api {
namespace {

using jobs::Submitted;

constexpr size_t kMaxIdempotencyKey = 256;

// A wait long enough not to be a nuisance, short enough for quick jobs.
constexpr std::string_view kAskAgainSeconds = "1";

std::string_view cacheWord(const Submitted& s, bool bypass) {
    if (bypass) return "BYPASS";
    return s.how == Submitted::How::Coalesced ? "COALESCED" : "MISS";
}

struct Accepted {
    std::string_view job_id;
    bool report = false;
    std::optional<std::pair<size_t, int>> batch = {};  // items, concurrency
    std::vector<std::string> warnings = {};
    std::optional<WallTime> run_at = {};
};

http::Response accepted(const Accepted& a) {
    const std::string where = (a.report ? "/v1/reports/" : "/v1/jobs/") + std::string(a.job_id);
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "status", "queued");
    json::put(w, "jobId", a.job_id);
    json::put(w, "statusUrl", where);
    if (!a.report) json::put(w, "contractVersion", kContractVersion);
    if (a.batch) {
        json::putInt(w, "itemCount", static_cast<int64_t>(a.batch->first));
        json::putInt(w, "concurrency", a.batch->second);
    }
    if (a.run_at) json::put(w, "runAt", isoTime(*a.run_at));
    engine::putWarnings(w, a.warnings);
    w.EndObject();
    auto out = http::Response::json(202, {buffer.GetString(), buffer.GetSize()});
    out.headers.emplace_back("Location", where);
    out.headers.emplace_back("Retry-After", kAskAgainSeconds);
    return out;
}

http::Response conflict(const http::Request& request) {
    return http::Response::error(
        422, "BAD_REQUEST",
        "This Idempotency-Key was used with another request; use a new key for a new "
        "request",
        request.id);
}

// The client's Idempotency-Key. Keys of different tenants never meet, whatever characters they hold.
std::string scopedKey(std::string_view tenant, const http::Request& request) {
    const auto key = request.header("idempotency-key");
    return key.empty()
               ? std::string()
               : sha256Hex(std::to_string(tenant.size()) + ':' + std::string(tenant) + std::string(key));
}

std::optional<http::Response> badIdempotencyKey(const http::Request& request) {
    if (request.header("idempotency-key").size() <= kMaxIdempotencyKey) return std::nullopt;
    return http::Response::error(400, "BAD_REQUEST", "Invalid Idempotency-Key: at most 256 bytes",
                                 request.id);
}

// Of the batch and of its items; a sentence when one that asked to be strict has any, or names a model that
// nobody has.
std::variant<Remarks, BadRequest> remarksOn(const http::Request& request, const ParsedBatch& batch,
                                            const engine::Snapshot& snapshot) {
    Remarks all = batch.remarks;
    remarkOnQuery(request, {}, all);
    remarkOnHeaders(request, Use::Job, all);
    for (size_t i = 0; i < batch.items.size(); ++i) {
        const ParsedRequest& item = batch.items[i].parsed;
        if (const auto problem = engine::modelProblem(snapshot, item.request))
            return refuse("items[" + std::to_string(i) + "].request: " + problem->message);
        Remarks own = item.remarks;
        remarkOnProviders(item.request, snapshot, own);
        Remarks placed;
        placed.addAll(own, "items[" + std::to_string(i) + "].request.");
        if (item.strict && !placed.empty()) return refuse(placed.refusal());
        all.addAll(placed, "");
    }
    if (batch.strict && !all.empty()) return refuse(all.refusal());
    return all;
}

std::optional<jobs::WhichItems> itemsNamed(std::string_view word) {
    using jobs::WhichItems;
    if (word == "failed") return WhichItems::Failed;
    if (word == "fallback") return WhichItems::FailedAndFallback;
    return word == "all" ? std::optional(WhichItems::All) : std::nullopt;
}

// Sets when it starts; or says why it cannot, and what has a key may then still be a repeat of what could.
template <class Submission>
std::optional<std::string> setStart(const Start& start, WallTime now, Submission& out) {
    auto delay = delayUntil(start, now);
    auto* problem = std::get_if<std::string>(&delay);
    out.only_repeat = problem && !out.idempotency_key.empty();
    if (problem) return std::move(*problem);
    out.start_in = std::get<milliseconds>(delay);
    return std::nullopt;
}

template <class Submission>
std::optional<WallTime> startOf(const Submission& submission, WallTime now) {
    if (submission.start_in == milliseconds{0}) return std::nullopt;
    return now + submission.start_in;
}

}  // namespace

http::Response Submit::generate(const http::Request& request) const {
    const auto parsed = parseGenerate(request.body);
    if (const auto* bad = std::get_if<BadRequest>(&parsed)) return badRequest(*bad, request.id);
    return enqueue(request, std::get<ParsedRequest>(parsed), false);
}

http::Response Submit::report(const http::Request& request) const {
    const auto parsed = parseReport(request.body);
    if (const auto* bad = std::get_if<BadRequest>(&parsed)) return badRequest(*bad, request.id);
    return enqueue(request, std::get<ParsedRequest>(parsed), true);
}

http::Response Submit::enqueue(const http::Request& request, const ParsedRequest& wanted, bool report) const {
    if (auto bad = badIdempotencyKey(request)) return std::move(*bad);
    const auto snapshot = snapshots_.get();
    Remarks remarks = wanted.remarks;
    remarkOnProviders(wanted.request, *snapshot, remarks);
    remarkOnQuery(request, {}, remarks);
    remarkOnHeaders(request, Use::Job, remarks);
    if (wanted.strict && !remarks.empty()) return badRequest(remarks.refusal(), request.id);
    if (const auto problem = engine::modelProblem(*snapshot, wanted.request))
        return badRequest(problem->message, request.id);
    const bool bypass = wanted.cache_control == CacheControl::NoCache;
    jobs::Submission submission;
    submission.kind = kindOf(wanted.request, report);
    submission.body = withoutMark(request.body);
    // Users of reports name no tenant, and take turns all the same.
    submission.tenant =
        report ? std::get<prompt::CommitInput>(wanted.request.subject).user_id : wanted.request.tenant_id;
    if (!bypass)
        submission.cache_key =
            jobs::cacheKeyOf(wanted.request, wanted.cache_key, snapshot->config.security.redact);
    submission.read_cache = wanted.cache_control == CacheControl::Default;
    submission.idempotency_key = scopedKey(wanted.request.tenant_id, request);
    submission.time_limit = wanted.max_duration;
    submission.priority = wanted.priority.value_or(submission.priority);
    const auto cannot_start = setStart(wanted.start, clock_.wall(), submission);
    if (cannot_start && !submission.only_repeat) return badRequest(*cannot_start, request.id);

    // A key names the job that it has made, whatever is known by now.
    if (submission.idempotency_key.empty())
        if (const auto failed = tooLarge(wanted, submission.kind, submission.cache_key))
            return immediateAnswer(*failed, report, request.id, remarks.warnings());

    const auto done = jobs_.submit(submission);
    if (!done) return storeUnavailable(done.error(), request.id);
    if (done->how == Submitted::How::Conflict) return conflict(request);
    if (done->how == Submitted::How::NotMade) return badRequest(*cannot_start, request.id);
    const bool replayed = done->how == Submitted::How::Repeated;
    if (done->hit) {
        if (!replayed) metrics_.cacheHit(done->hit->stale ? "stale" : "fresh", wanted.request.labels());
        auto out = fromCache(*done->hit, submission, report, remarks);
        if (replayed) out.headers.emplace_back("Idempotent-Replayed", "true");
        return out;
    }
    if (done->how == Submitted::How::Queued && !bypass && submission.start_in == milliseconds{0})
        metrics_.cacheMiss(wanted.request.labels());
    auto out = accepted({done->job_id,
                         report,
                         {},
                         remarks.warnings(),
                         replayed ? std::nullopt : startOf(submission, clock_.wall())});
    addRateLimit(out, *snapshot, clock_.now());
    if (replayed) {
        out.headers.emplace_back("Idempotent-Replayed", "true");
    } else if (submission.start_in == milliseconds{0}) {
        out.headers.emplace_back("X-Cache", cacheWord(*done, bypass));
    }
    return out;
}

std::optional<engine::Outcome> Submit::tooLarge(const ParsedRequest& work, std::string_view kind,
                                                const std::string& cache_key) const {
    auto failed = engine_.tooLarge(work.request);
    if (!failed || cache_key.empty() || work.cache_control != CacheControl::Default) return failed;
    const auto hit = jobs_.cache().find(cache_key, jobs_.deliversOnce(kind));
    return hit && *hit ? std::nullopt : std::move(failed);
}

http::Response Submit::fromCache(const cache::Hit& hit, const jobs::Submission& wanted, bool report,
                                 const Remarks& remarks) const {
    auto out = http::Response::json(200, cachedJson(*hit.answer, hit.stale, report, remarks.warnings()));
    out.repeatable = true;
    out.headers.emplace_back("X-Cache", hit.stale ? "STALE" : "HIT");
    out.headers.emplace_back("Age", std::to_string(std::max<int64_t>(hit.age.count(), 0) / 1000));
    if (jobs_.deliversOnce(wanted.kind))
        out.delivered = [this, kind = wanted.kind, key = wanted.cache_key, made_by = hit.answer->job_id] {
            jobs_.delivered(kind, key, made_by);
        };
    return out;
}

http::Response Submit::batch(const http::Request& request) const {
    const auto snapshot = snapshots_.get();
    const auto& limits = snapshot->config.batch;
    const auto parsed = parseBatch(request.body, limits.max_items, limits.max_concurrency);
    if (const auto* bad = std::get_if<BadRequest>(&parsed)) return badRequest(*bad, request.id);
    if (auto bad = badIdempotencyKey(request)) return std::move(*bad);
    const auto& wanted = std::get<ParsedBatch>(parsed);
    const auto remarks = remarksOn(request, wanted, *snapshot);
    if (const auto* bad = std::get_if<BadRequest>(&remarks)) return badRequest(*bad, request.id);
    const auto warnings = std::get<Remarks>(remarks).warnings();

    jobs::BatchSubmission submission;
    submission.tenant = wanted.tenant_id;
    submission.body = withoutMark(request.body);
    submission.idempotency_key = scopedKey(wanted.tenant_id, request);
    submission.concurrency = wanted.concurrency;
    submission.priority = wanted.priority;
    submission.time_limit = wanted.max_duration;
    const auto cannot_start = setStart(wanted.start, clock_.wall(), submission);
    if (cannot_start && !submission.only_repeat) return badRequest(*cannot_start, request.id);
    submission.meta = batchMeta(warnings);
    for (const auto& item : wanted.items) {
        const auto& p = item.parsed;
        const bool bypass = p.cache_control == CacheControl::NoCache;
        submission.items.push_back(
            {item.id, std::string(kindOf(p.request, false)), item.body,
             bypass ? std::string()
                    : jobs::cacheKeyOf(p.request, p.cache_key, snapshot->config.security.redact),
             p.cache_control == CacheControl::Default, p.priority, p.max_duration});
    }
    for (size_t i = 0; i < wanted.items.size() && submission.idempotency_key.empty(); ++i) {
        const auto& item = submission.items[i];
        const auto outcome = tooLarge(wanted.items[i].parsed, item.kind, item.cache_key);
        if (!outcome) continue;
        const engine::Failure& why = *outcome->failure;
        return http::Response::error(why.http_status, why.code,
                                     "items[" + std::to_string(i) + "].request: " + why.message, request.id);
    }

    const auto done = jobs_.submitBatch(submission);
    if (!done) return storeUnavailable(done.error(), request.id);
    if (done->how == Submitted::How::Conflict) return conflict(request);
    if (done->how == Submitted::How::NotMade) return badRequest(*cannot_start, request.id);
    const bool replayed = done->how == Submitted::How::Repeated;
    auto out = accepted({done->job_id, false, std::pair(wanted.items.size(), wanted.concurrency), warnings,
                         replayed ? std::nullopt : startOf(submission, clock_.wall())});
    addRateLimit(out, *snapshot, clock_.now());
    if (replayed) out.headers.emplace_back("Idempotent-Replayed", "true");
    return out;
}

http::Response Submit::retry(const http::Request& request) const {
    using How = jobs::Retried::How;
    const auto which = itemsNamed(request.queryValue("items").value_or("failed"));
    if (!which) return badRequest("Invalid items: expected 'failed', 'fallback', or 'all'", request.id);
    const auto again = jobs_.retry(request.param("id"), *which, false);
    if (!again) return storeUnavailable(again.error(), request.id);
    if (again->how == How::NotFound)
        return http::Response::error(404, "NOT_FOUND", "Job not found", request.id);
    const auto conflicts = [&](std::string_view why) {
        return http::Response::error(409, "BAD_REQUEST", why, request.id);
    };
    if (again->how == How::NotFinal) return conflicts("Only a finished job can be run again");
    if (again->how == How::NothingMeant)
        return conflicts("No item of this batch failed; ?items=fallback and ?items=all run others again");
    Remarks remarks;
    remarkOnQuery(request, {"items"}, remarks);
    return accepted({again->job_id, false, again->batch, remarks.warnings()});
}

http::Response Submit::forgetReport(const http::Request& request) const {
    const auto user = trim(request.queryValue("userId").value_or(""));
    const auto commit = trim(request.queryValue("commitSha").value_or(""));
    if (user.empty() || commit.empty())
        return badRequest("Missing required query parameters: userId, commitSha", request.id);
    std::optional<std::string> wording;
    if (const auto text = request.queryValue("template"); text && !trim(*text).empty())
        wording = std::string(trim(*text));
    const auto key = jobs::reportKey("", user, commit, wording);
    const auto done = jobs_.cache().forget(key, "");
    if (!done) return storeUnavailable(done.error(), request.id);
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::putBool(w, "success", true);
    json::put(w, "message", "Cache entry deleted");
    Remarks remarks;
    remarkOnQuery(request, {"userId", "commitSha", "template"}, remarks);
    engine::putWarnings(w, remarks.warnings());
    w.EndObject();
    return http::Response::json(200, {buffer.GetString(), buffer.GetSize()});
}

}  // namespace stepper::api
