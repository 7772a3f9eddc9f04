// Finished jobs run again: one, a batch's items, or many at once.
#include <algorithm>

#include "core/api/answer.h"
#include "core/api/json_answer.h"
#include "core/api/queued.h"
#include "core/api/refusal.h"
#include "core/api/request_remarks.h"
#include "core/api/retry.h"
#include "core/api/routes.h"

namespace stepper::api {
namespace {

using How = jobs::Retried::How;

// Whoever asks waits for it.
constexpr std::chrono::seconds kLongest{20};

std::optional<jobs::WhichItems> itemsNamed(std::string_view word) {
    using jobs::WhichItems;
    if (word == "failed") return WhichItems::Failed;
    if (word == "fallback") return WhichItems::FailedAndFallback;
    return word == "all" ? std::optional(WhichItems::All) : std::nullopt;
}

std::string_view problemOf(How how) {
    if (how == How::NotFound) return "Job not found";
    return how == How::NotFinal ? "It is not finished" : "No item of this batch failed";
}

void put(json::Writer& w, const std::string& id, const jobs::Retried& done) {
    w.StartObject();
    json::put(w, "id", id);
    const bool has_job = done.how == How::Queued || done.how == How::Before;
    json::put(w, has_job ? "jobId" : "error", has_job ? std::string_view(done.job_id) : problemOf(done.how));
    if (done.how == How::Before) json::putBool(w, "already", true);
    w.EndObject();
}

class Retries {
public:
    Retries(jobs::JobService& jobs, const Clock& clock) : jobs_(jobs), clock_(clock) {}

    // ?items=failed|fallback|all: a new job from a finished one; of a batch, from those of its items.
    http::Response one(const http::Request& request) const;
    // {"jobs":[{"id","jobId"}|{"id","jobId","already":true}|{"id","error"}],"retried","more","until"}. Each
    // is run again once, however often it is asked for. It ends after some seconds; `more` tells whether to
    // ask again, with that `until`: else what was run again and failed anew would be found, too, round after
    // round.
    http::Response many(const http::Request& request) const;

private:
    Result<std::vector<std::string>> chosen(const RetryRequest& wanted) const;
    // What became of those it came to, in their order.
    Result<std::vector<jobs::Retried>> runAgain(const std::vector<std::string>& ids,
                                                CancelToken& cancel) const;

    jobs::JobService& jobs_;
    const Clock& clock_;
};

http::Response Retries::one(const http::Request& request) const {
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
    return accepted({again->job_id, RequestKind::Generate, again->batch, remarks.warnings()});
}

Result<std::vector<std::string>> Retries::chosen(const RetryRequest& wanted) const {
    if (!wanted.ids.empty()) return wanted.ids;
    return jobs_.store().retryable(wanted.filter);
}

Result<std::vector<jobs::Retried>> Retries::runAgain(const std::vector<std::string>& ids,
                                                     CancelToken& cancel) const {
    const SteadyTime until = clock_.now() + kLongest;
    std::vector<jobs::Retried> out;
    for (const auto& id : ids) {
        if (clock_.now() >= until || cancel.check() != CancelReason::None) break;
        auto done = jobs_.retry(id, jobs::WhichItems::Failed, true);
        // What was begun is told of; the next try goes on behind it.
        if (!done && out.empty()) return done.error();
        if (!done) break;
        out.push_back(std::move(done).value());
    }
    return out;
}

http::Response Retries::many(const http::Request& request) const {
    const auto wanted = parseRetry(request.body, clock_.wall());
    if (!wanted) return badRequest(wanted.error(), request.id);
    const auto ids = chosen(*wanted);
    if (!ids) return storeUnavailable(ids.error(), request.id);
    const auto done = runAgain(*ids, *request.cancel);
    if (!done) return storeUnavailable(done.error(), request.id);
    const bool full = wanted->ids.empty() && static_cast<int>(ids->size()) == wanted->filter.limit;
    return jsonAnswer(200, [&](json::Writer& w) {
        w.Key("jobs");
        w.StartArray();
        for (size_t i = 0; i < done->size(); ++i) put(w, (*ids)[i], (*done)[i]);
        w.EndArray();
        json::putInt(w, "retried", std::ranges::count(*done, How::Queued, &jobs::Retried::how));
        json::putBool(w, "more", full || done->size() < ids->size());
        json::put(w, "until", isoTime(wanted->until));
    });
}

}  // namespace

Routes retryRoutes(const ApiDeps& deps) {
    using http::Body, http::Role;
    const auto retries = std::make_shared<const Retries>(deps.jobs, deps.clock);
    return {
        {"POST", "/v1/jobs/{id}/retry", "Run a finished job again, or a batch's failed items", Body::None,
         Role::Client, on(retries, &Retries::one)},
        {"POST", "/v1/jobs/retry",
         "Run finished jobs again: those that failed, since when, of whom, or by id", Body::Json,
         Role::Client, on(retries, &Retries::many)},
    };
}

}  // namespace stepper::api
