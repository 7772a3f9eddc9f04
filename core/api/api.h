// The endpoints: which routes there are and what each does with the engine.
#pragma once
#include <atomic>
#include <functional>

#include "core/engine/engine.h"
#include "core/engine/reloading.h"
#include "core/engine/usage_keeper.h"
#include "core/http/http.h"
#include "core/jobs/job_service.h"

namespace stepper::api {

// What the endpoints work with; borrowed, must outlive the server.
struct ApiDeps {
    engine::Engine& engine;
    jobs::JobService& jobs;
    engine::UsageKeeper& usage;
    const engine::SnapshotHolder& snapshots;
    engine::Reloading& reloading;
    Metrics& metrics;
    const Clock& clock;
    const std::atomic<bool>& draining;  // readyz says 503 while true
    std::function<int()> in_flight;     // HTTP requests being answered
    std::shared_ptr<http::ByteBudget> bodies;
};

// Handlers run on any thread.
std::vector<http::Route> makeRoutes(ApiDeps deps);

}  // namespace stepper::api
