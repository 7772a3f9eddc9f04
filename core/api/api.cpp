#include "core/api/api.h"

#include <algorithm>
#include <charconv>

#include "core/api/admin.h"
#include "core/api/answer.h"
#include "core/api/forecast_view.h"
#include "core/api/generate_request.h"
#include "core/api/health.h"
#include "core/api/job_endpoints.h"
#include "core/api/rate_headers.h"
#include "core/api/request_remarks.h"
#include "core/api/retry.h"
#include "core/api/submit.h"
#include "core/api/usage_view.h"
#include "core/base/version.h"
#include "core/engine/plan.h"

namespace stepper::api {
namespace {

constexpr milliseconds kDefaultDuration{60'000};
constexpr milliseconds kMaxDuration{3'600'000};

// A positive whole number in a header; nonsense counts as absent.
std::optional<milliseconds> timeoutHeader(const http::Request& request, std::string_view lower_name,
                                          milliseconds unit) {
    const std::string_view text = request.header(lower_name);
    int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n <= 0 || n > kMaxDuration / unit)
        return std::nullopt;
    return n * unit;
}

// Ours is honoured or refused; a client library sends the other one unasked.
std::optional<BadRequest> badTimeout(const http::Request& request) {
    if (request.header("x-request-timeout-ms").empty() ||
        timeoutHeader(request, "x-request-timeout-ms", milliseconds{1}))
        return std::nullopt;
    return refuse("Invalid X-Request-Timeout-Ms: expected whole milliseconds from 1 to 3600000");
}

// The earliest of what the body, our header and the OpenAI SDK's header ask for. One deadline covers
// everything.
SteadyTime deadlineOf(const http::Request& request, std::optional<milliseconds> max_duration) {
    milliseconds d = max_duration.value_or(kDefaultDuration);
    if (const auto ms = timeoutHeader(request, "x-request-timeout-ms", milliseconds{1}))
        d = max_duration ? std::min(d, *ms) : *ms;
    if (const auto s = timeoutHeader(request, "x-stainless-timeout", milliseconds{1'000}))
        d = std::min(d, *s);
    return request.received + d;
}

class Endpoints {
public:
    explicit Endpoints(ApiDeps deps) : deps_(deps) {}

    http::Response generateNow(const http::Request& request, const Parsed& parsed, bool report) const {
        if (const auto* bad = std::get_if<BadRequest>(&parsed)) return badRequest(*bad, request.id);
        if (const auto bad = badTimeout(request)) return badRequest(*bad, request.id);
        const auto& wanted = std::get<ParsedRequest>(parsed);
        Remarks remarks = wanted.remarks;
        remarkOnProviders(wanted.request, *deps_.snapshots.get(), remarks);
        remarkOnQuery(request, {}, remarks);
        remarkOnHeaders(request, Use::Immediate, remarks);
        if (wanted.strict && !remarks.empty()) return badRequest(remarks.refusal(), request.id);
        if (const auto problem = engine::modelProblem(*deps_.snapshots.get(), wanted.request))
            return badRequest(problem->message, request.id);
        engine::RunOptions options;
        options.id = request.id;
        const auto outcome = deps_.engine.generate(wanted.request, deadlineOf(request, wanted.max_duration),
                                                   *request.cancel, options);
        if (outcome.failure && deps_.draining && request.cancel->check() == CancelReason::Draining)
            return cutByDrain(request);
        auto answer = immediateAnswer(outcome, report, request.id, remarks.warnings());
        addRateLimit(answer, *deps_.snapshots.get(), deps_.clock.now());
        return answer;
    }

    http::Response health() const {
        const auto snapshot = deps_.snapshots.get();
        const auto states = statesOf(*snapshot);
        const auto store = deps_.jobs.store().health();
        const auto files = deps_.reloading.last();
        const int status = healthOf(*snapshot, states, store, files) == Health::Unhealthy ? 503 : 200;
        return http::Response::json(status,
                                    healthJson(*snapshot, states, store, files, deps_.clock.wall(), false));
    }

    http::Response providers() const {
        const auto snapshot = deps_.snapshots.get();
        return http::Response::json(200,
                                    healthJson(*snapshot, statesOf(*snapshot), deps_.jobs.store().health(),
                                               deps_.reloading.last(), deps_.clock.wall(), true));
    }

    http::Response usage(const http::Request& request) const { return api::usage(request, deps_.usage); }

    http::Response forecast(const http::Request& request) const {
        return api::forecast(request, *deps_.snapshots.get(), deps_.jobs.store(), deps_.clock);
    }

    http::Response ready() const {
        if (deps_.draining) return http::Response::json(503, R"({"status":"draining"})");
        if (deps_.jobs.store().health().status == store::Health::Status::Failed)
            return http::Response::json(503, R"({"status":"store failed"})");
        return http::Response::json(200, R"({"status":"ready"})");
    }

    http::Response metrics() const {
        measureJobs();
        measureProviders();
        deps_.metrics.inFlight(deps_.in_flight());
        http::Response out;
        out.content_type = "text/plain; version=0.0.4; charset=utf-8";
        out.body = deps_.metrics.render();
        return out;
    }

    http::Response root() const;

private:
    void measureJobs() const;
    void measureProviders() const;

    static http::Response cutByDrain(const http::Request& request) {
        return http::Response::unavailable("CANCELLED", "The server is shutting down; send the request again",
                                           request.id);
    }

    ApiDeps deps_;
};

void Endpoints::measureJobs() const {
    constexpr std::string_view kLanes[] = {"live", "batch", "suspect"};
    deps_.metrics.store(deps_.jobs.store().health().status == store::Health::Status::Ok);
    const auto stats = deps_.jobs.store().stats();
    if (!stats) return;
    int64_t waiting = stats->held + stats->following;
    for (size_t i = 0; i < std::size(kLanes); ++i) {
        const auto& lane = stats->lanes[i];
        deps_.metrics.jobsInState(kLanes[i], "ready", lane.ready);
        deps_.metrics.jobsInState(kLanes[i], "delayed", lane.delayed);
        deps_.metrics.jobsInState(kLanes[i], "leased", lane.leased);
        deps_.metrics.oldestReadyJob(kLanes[i], lane.oldest_ready);
        waiting += lane.ready + lane.delayed;
    }
    deps_.metrics.jobQueue(waiting);
}

void Endpoints::measureProviders() const {
    const auto snapshot = deps_.snapshots.get();
    for (const auto& provider : snapshot->providers) {
        if (!provider.enabled()) continue;
        const auto state = provider.gate->state();
        const std::string& name = provider.spec.name;
        deps_.metrics.providerState(name, !state.denied, state.breaker != limits::Breaker::State::Closed);
        for (const auto& quota : state.quotas)
            deps_.metrics.quotaRemaining(name, quota.name, std::max<int64_t>(quota.limit - quota.used, 0));
    }
}

http::Response Endpoints::root() const {
    const auto snapshot = deps_.snapshots.get();
    const auto& security = snapshot->config.security;
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "service", "stepper");
    json::put(w, "version", kVersion);
    w.Key("endpoints");
    w.StartObject();
    json::put(w, "POST /v1/generate", "Queue a request, or answer it from the cache");
    json::put(w, "POST /v1/generate/batch", "Queue many requests as one job");
    json::put(w, "POST /v1/generate/immediate", "Generate and wait for the answer");
    json::put(w, "GET /v1/jobs/:jobId", "State and result of a job; ?wait=SECONDS waits for it");
    json::put(w, "GET /v1/jobs/:jobId/events", "The same as server-sent events");
    json::put(w, "DELETE /v1/jobs/:jobId", "Cancel a job, or remove a finished one");
    json::put(w, "POST /v1/jobs/:jobId/retry", "Run a finished job again, or a batch's failed items");
    json::put(w, "POST /v1/jobs/retry",
              "Run finished jobs again: those that failed, since when, of whom, or by id");
    json::put(w, "GET /v1/jobs", "Jobs, newest first; ?state=&limit=&before=");
    json::put(w, "POST /v1/reports", "Queue a commit report, or answer it from the cache");
    json::put(w, "GET /v1/reports/:jobId", "State and result of a report's job");
    json::put(w, "DELETE /v1/reports", "Remove a cached report; ?userId=&commitSha=[&template=]");
    json::put(w, "POST /v1/reports/immediate", "Generate a commit report and wait for it");
    json::put(w, "GET /v1/providers", "State, limits and speed of every provider");
    json::put(w, "GET /v1/usage", "Requests, tokens and cost by tenant and provider; ?days=&tenant=");
    json::put(w, "GET /v1/plan", "When the queued jobs, and more, would be done; ?jobs=");
    json::put(w, "GET /health", "Health, 503 when no provider can be used");
    json::put(w, "GET /livez", "The process is alive");
    json::put(w, "GET /readyz", "It takes requests");
    json::put(w, "GET /metrics", "Prometheus metrics");
    json::put(w, "GET /admin/plugins", "Plugins, what became of them and why");
    json::put(w, "GET /admin/config", "The configuration in force");
    json::put(w, "POST /admin/reload", "Look at the files now");
    json::put(w, "DELETE /admin/plugins/quarantine/:sha256", "Let a quarantined plugin try again");
    w.EndObject();
    w.Key("security");
    w.StartObject();
    json::putBool(w, "cors", security.cors.enabled);
    json::putBool(w, "rateLimit", false);  // configured or not, nothing enforces it yet
    json::putBool(w, "helmet", security.security_headers);
    json::putBool(w, "apiKeyRequired", security.api_key_enabled);
    w.EndObject();
    w.EndObject();
    return http::Response::json(200, {buffer.GetString(), buffer.GetSize()});
}

}  // namespace

std::vector<http::Route> makeRoutes(ApiDeps deps) {
    using http::Body;
    using http::Request;
    const auto api = std::make_shared<const Endpoints>(deps);
    const auto submit =
        std::make_shared<const Submit>(deps.engine, deps.jobs, deps.snapshots, deps.metrics, deps.clock);
    const auto jobs = std::make_shared<JobEndpoints>(deps.jobs, deps.clock, deps.metrics, deps.bodies);
    const auto retries = std::make_shared<const Retries>(deps.jobs, deps.clock);
    const auto admin = std::make_shared<const Admin>(deps.reloading, deps.snapshots);
    return {
        {"POST", "/v1/generate", Body::Json, [submit](const Request& r) { return submit->generate(r); }},
        {"POST", "/v1/generate/batch", Body::Json, [submit](const Request& r) { return submit->batch(r); }},
        {"POST", "/v1/reports", Body::Json, [submit](const Request& r) { return submit->report(r); }},
        {"DELETE", "/v1/reports", Body::None, [submit](const Request& r) { return submit->forgetReport(r); }},
        {"GET", "/v1/jobs", Body::None, [jobs](const Request& r) { return jobs->list(r); }},
        {"GET", "/v1/jobs/{id}", Body::None, [jobs](const Request& r) { return jobs->get(r); }},
        {"DELETE", "/v1/jobs/{id}", Body::None, [jobs](const Request& r) { return jobs->drop(r); }},
        {"GET", "/v1/jobs/{id}/events", Body::None, [jobs](const Request& r) { return jobs->events(r); }},
        {"POST", "/v1/jobs/{id}/retry", Body::None, [submit](const Request& r) { return submit->retry(r); }},
        {"POST", "/v1/jobs/retry", Body::Json, [retries](const Request& r) { return retries->many(r); }},
        {"GET", "/v1/reports/{id}", Body::None, [jobs](const Request& r) { return jobs->get(r); }},
        {"POST", "/v1/generate/immediate", Body::Json,
         [api](const Request& r) {
             return api->generateNow(r, parseGenerate(r.body, Use::Immediate), false);
         }},
        {"POST", "/v1/reports/immediate", Body::Json,
         [api](const Request& r) { return api->generateNow(r, parseReport(r.body, Use::Immediate), true); }},
        {"GET", "/v1/providers", Body::None, [api](const Request&) { return api->providers(); }},
        {"GET", "/v1/usage", Body::None, [api](const Request& r) { return api->usage(r); }},
        {"GET", "/v1/plan", Body::None, [api](const Request& r) { return api->forecast(r); }},
        {"GET", "/health", Body::None, [api](const Request&) { return api->health(); }},
        {"GET", "/livez", Body::None,
         [](const Request&) { return http::Response::json(200, R"({"status":"alive"})"); }},
        {"GET", "/readyz", Body::None, [api](const Request&) { return api->ready(); }},
        {"GET", "/metrics", Body::None, [api](const Request&) { return api->metrics(); }},
        {"GET", "/admin/plugins", Body::None, [admin](const Request&) { return admin->plugins(); }},
        {"GET", "/admin/config", Body::None, [admin](const Request&) { return admin->config(); }},
        {"POST", "/admin/reload", Body::None, [admin](const Request& r) { return admin->reload(r); }},
        {"DELETE", "/admin/plugins/quarantine/{sha256}", Body::None,
         [admin](const Request& r) { return admin->release(r); }},
        {"GET", "/", Body::None, [api](const Request&) { return api->root(); }},
    };
}

}  // namespace stepper::api
