// Jobs: asked for, waited for, followed, listed and dropped.
#include <algorithm>
#include <limits>

#include "core/api/answer.h"
#include "core/api/generate_request.h"
#include "core/api/job_events.h"
#include "core/api/job_pages.h"
#include "core/api/job_view.h"
#include "core/api/json_answer.h"
#include "core/api/query.h"
#include "core/api/refusal.h"
#include "core/api/request_remarks.h"
#include "core/api/routes.h"
#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

using Found = Result<std::optional<store::Job>>;

constexpr int64_t kLongestWaitSeconds = 60, kMostListed = 1000;
// More than can be had is taken for the most that can.
constexpr int64_t kAnyNumber = std::numeric_limits<int64_t>::max();

// The header is what the client received last, the query may be older.
std::string_view lastEventId(const http::Request& request) {
    if (const auto header = request.header("last-event-id"); !header.empty()) return header;
    for (const auto* name : {"lastEventId", "lastEventID", "Last-Event-ID"})
        if (const auto value = request.queryValue(name)) return *value;
    return {};
}

http::Response noRoom(std::string_view request_id) {
    return http::Response::unavailable("OVERLOADED", kNoRoomForPage, request_id);
}

http::Response notFound(std::string_view request_id) {
    return http::Response::error(404, "NOT_FOUND", "Job not found", request_id);
}

Result<store::ListFilter> statesIn(const http::Request& request) {
    const auto word = request.queryValue("state").value_or("");
    if (word.empty()) return store::ListFilter();
    if (auto named = filterNamed(word)) return *std::move(named);
    return refusal(
        "Invalid state: expected one of queued, waiting, delayed, "
        "active, completed, fallback, failed, cancelled");
}

Result<store::ListFilter> filterOf(const http::Request& request) {
    auto out = statesIn(request);
    if (!out) return out;
    if (const auto limit = request.queryValue("limit")) {
        const auto n = wholeNumber(*limit, 1, kAnyNumber);
        if (!n) return refusal("Invalid limit: expected a number from 1 to 1000");
        out->limit = static_cast<int>(std::min(*n, kMostListed));
    }
    if (const auto before = request.queryValue("before")) {
        out->before = wholeNumber(*before, 1, kAnyNumber);
        if (!out->before) return refusal("Invalid before: expected the `next` of a list");
    }
    return out;
}

class Jobs {
public:
    explicit Jobs(const ApiDeps& deps)
        : jobs_(deps.jobs), metrics_(deps.metrics), pages_(jobs_.store(), deps.clock, deps.bodies) {}

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

http::Response Jobs::get(const http::Request& request) {
    const std::string id(request.param("id"));
    const auto wait = wholeNumber(request.queryValue("wait").value_or("0"), 0, kAnyNumber);
    if (!wait) return badRequest("Invalid wait: expected seconds from 0 to 60", request.id);
    const auto awaited = request.queryValue("until");
    if (awaited && *awaited != "change") return badRequest("Invalid until: expected 'change'", request.id);
    const bool any_change = awaited.has_value();
    const SteadyTime until = request.received + std::chrono::seconds(std::min(*wait, kLongestWaitSeconds));

    std::optional<std::string_view> before;
    for (bool wait_is_over = *wait == 0;;) {
        std::optional<jobs::Waiters::Wait> waiting;
        if (!wait_is_over) waiting.emplace(jobs_.waiters(), id);
        Found job = jobs_.store().job(id);
        if (!job) return storeUnavailable(job.error(), request.id);
        if (!*job) return notFound(request.id);
        const auto status = wireStatus(**job);
        const bool moved_on = any_change && before && status != *before;
        if (wait_is_over || store::isFinal((*job)->state) || moved_on)
            return answer(request, std::move(**job));
        if (!before) before = status;
        // The job is read once more even then: what was read before the wait may be old by now.
        wait_is_over = waiting->sleep(*request.cancel, until) != jobs::Waiters::Wait::Woken::Changed;
    }
}

http::Response Jobs::answer(const http::Request& request, store::Job job) {
    Remarks remarks;
    remarkOnQuery(request, {"wait", "until"}, remarks);
    http::Response out;
    const auto kind = jobs::requestKindOf(job.kind);
    if (store::isDone(job.state) && !job.cache_key.empty() && jobs_.deliversOnce(kind))
        out.delivered = [this, kind, key = job.cache_key, id = job.id] { jobs_.delivered(kind, key, id); };
    if (!store::isFinal(job.state)) out.headers.emplace_back("Retry-After", "1");
    if (job.state == store::JobState::Substituted) out.headers.emplace_back(kFallbackHeader, "true");
    auto page = pages_.of(std::move(job), remarks.warnings());
    if (!page) return storeUnavailable(page.error(), request.id);
    if (!*page) return noRoom(request.id);
    out.shared = std::move(page).value();
    return out;
}

http::Response Jobs::events(const http::Request& request) {
    const std::string id(request.param("id"));
    const Found job = jobs_.store().job(id);
    if (!job) return storeUnavailable(job.error(), request.id);
    if (!*job) return notFound(request.id);
    const int64_t seen = lastSeen(lastEventId(request), **job);
    // Browsers reconnect after every end of a stream, unless told that there is nothing more.
    if (sawAll(**job, seen)) {
        http::Response nothing_more;
        nothing_more.status = 204;
        return nothing_more;
    }
    http::Response out;
    out.content_type = "text/event-stream";
    out.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
    out.live = true;
    out.stream = [this, id, seen](http::Stream& stream) { streamJob(jobs_, pages_, id, seen, stream); };
    return out;
}

http::Response Jobs::drop(const http::Request& request) const {
    using How = store::Dropped::How;
    const std::string id(request.param("id"));
    const auto forced = request.queryValue("force").value_or("false");
    if (forced != "true" && forced != "false")
        return badRequest("Invalid force: expected true or false", request.id);
    const bool force = forced == "true";
    const auto dropped = jobs_.store().drop(id, force);
    if (!dropped) return storeUnavailable(dropped.error(), request.id);
    if (dropped->how == How::NotFound) return notFound(request.id);
    if (dropped->how == How::Cancelled) metrics_.jobEnded("cancelled");
    const std::string_view status = dropped->how == How::Cancelled ? "cancelled"
                                    : dropped->how == How::Purged  ? "deleted"
                                                                   : "kept";
    Remarks remarks;
    remarkOnQuery(request, {"force"}, remarks);
    return jsonAnswer(200, [&](json::Writer& w) {
        json::putBool(w, "success", true);
        json::put(w, "id", id);
        json::put(w, "status", status);
        if (dropped->how == How::StillWanted) {
            json::putInt(w, "wantedBy", dropped->wanted_by);
            json::put(w, "message", "Other clients were given this job and have not dropped it; it goes on");
        }
        engine::putWarnings(w, remarks.warnings());
    });
}

http::Response Jobs::list(const http::Request& request) const {
    const auto filter = filterOf(request);
    if (!filter) return badRequest(filter.error(), request.id);
    const auto jobs = jobs_.store().list(*filter);
    if (!jobs) return storeUnavailable(jobs.error(), request.id);
    Remarks remarks;
    remarkOnQuery(request, {"state", "limit", "before"}, remarks);
    const bool may_be_more = static_cast<int>(jobs->size()) == filter->limit;
    return http::Response::json(200, jobListJson(*jobs, may_be_more, remarks.warnings()));
}

}  // namespace

Routes jobRoutes(const ApiDeps& deps) {
    using http::Body, http::Role;
    const auto jobs = std::make_shared<Jobs>(deps);
    return {
        {"GET", "/v1/jobs/{id}", "State and result of a job; ?wait=SECONDS waits for it", Body::None,
         Role::Client, on(jobs, &Jobs::get)},
        {"GET", "/v1/jobs/{id}/events", "The same as server-sent events", Body::None, Role::Client,
         on(jobs, &Jobs::events)},
        {"DELETE", "/v1/jobs/{id}", "Cancel a job, or remove a finished one", Body::None, Role::Client,
         on(jobs, &Jobs::drop)},
        {"GET", "/v1/jobs", "Jobs, newest first; ?state=&limit=&before=", Body::None, Role::Client,
         on(jobs, &Jobs::list)},
        {"GET", "/v1/reports/{id}", "State and result of a report's job", Body::None, Role::Client,
         on(jobs, &Jobs::get)},
    };
}

}  // namespace stepper::api
