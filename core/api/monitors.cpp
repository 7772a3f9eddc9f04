// What monitors, balancers and operators look at: health, readiness, metrics, providers.
#include <algorithm>

#include "core/api/health.h"
#include "core/api/routes.h"
#include "core/telemetry/metrics.h"

namespace stepper::api {
namespace {

class Monitors {
public:
    explicit Monitors(const ApiDeps& deps) : deps_(deps) {}

    http::Response health(const http::Request&) const { return shown(false); }
    http::Response providers(const http::Request&) const { return shown(true); }

    http::Response alive(const http::Request&) const {
        return http::Response::json(200, R"({"status":"alive"})");
    }

    http::Response ready(const http::Request&) const {
        if (deps_.draining) return http::Response::json(503, R"({"status":"draining"})");
        if (deps_.jobs.store().health().status == store::Health::Status::Failed)
            return http::Response::json(503, R"({"status":"store failed"})");
        return http::Response::json(200, R"({"status":"ready"})");
    }

    http::Response metrics(const http::Request&) const {
        measureJobs();
        measureProviders();
        deps_.metrics.inFlight(deps_.in_flight());
        http::Response out;
        out.content_type = "text/plain; version=0.0.4; charset=utf-8";
        out.body = deps_.metrics.render();
        return out;
    }

private:
    // The page of the providers is for people and has more; that of the health has a status for machines.
    http::Response shown(bool for_people) const {
        const auto snapshot = deps_.snapshots.get();
        const auto states = statesOf(*snapshot);
        const auto store = deps_.jobs.store().health();
        const auto files = deps_.reloading.last();
        const bool ill = healthOf(*snapshot, states, store, files) == Health::Unhealthy;
        return http::Response::json(
            ill && !for_people ? 503 : 200,
            healthJson(*snapshot, states, store, files, deps_.clock.wall(), for_people));
    }

    void measureJobs() const;
    void measureProviders() const;

    const ApiDeps deps_;
};

void Monitors::measureJobs() const {
    deps_.metrics.store(deps_.jobs.store().health().status == store::Health::Status::Ok);
    const auto stats = deps_.jobs.store().stats();
    if (!stats) return;
    int64_t waiting = stats->held + stats->following;
    for (const store::Lane each : store::kLanes) {
        const auto& lane = stats->lanes[each];
        deps_.metrics.jobsInState(store::name(each), "ready", lane.ready);
        deps_.metrics.jobsInState(store::name(each), "delayed", lane.delayed);
        deps_.metrics.jobsInState(store::name(each), "leased", lane.leased);
        deps_.metrics.oldestReadyJob(store::name(each), lane.oldest_ready);
        waiting += lane.ready + lane.delayed;
    }
    deps_.metrics.jobQueue(waiting);
}

void Monitors::measureProviders() const {
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

}  // namespace

Routes monitorRoutes(const ApiDeps& deps) {
    using http::Body, http::Role;
    const auto monitors = std::make_shared<const Monitors>(deps);
    return {
        {"GET", "/v1/providers", "State, limits and speed of every provider", Body::None, Role::Client,
         on(monitors, &Monitors::providers)},
        {"GET", "/health", "Health, 503 when no provider can be used", Body::None, Role::Anybody,
         on(monitors, &Monitors::health)},
        {"GET", "/livez", "The process is alive", Body::None, Role::Anybody, on(monitors, &Monitors::alive)},
        {"GET", "/readyz", "It takes requests", Body::None, Role::Anybody, on(monitors, &Monitors::ready)},
        {"GET", "/metrics", "Prometheus metrics", Body::None, Role::Anybody,
         on(monitors, &Monitors::metrics)},
    };
}

}  // namespace stepper::api
