#include "core/api/forecast_view.h"

#include <algorithm>
#include <cmath>

#include "core/api/answer.h"
#include "core/api/generate_request.h"
#include "core/api/json_answer.h"
#include "core/api/query.h"
#include "core/api/request_remarks.h"
#include "core/api/routes.h"
#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

constexpr int64_t kMostJobs = 1'000'000;

// Followers are not counted: they need no request of their own.
int64_t queuedOf(const store::Stats& stats) {
    int64_t out = stats.held;
    for (const auto& lane : stats.lanes) out += lane.ready + lane.delayed;
    return out;
}

Forecaster forecasterOf(const engine::ProviderEntry& provider, SteadyTime now) {
    const auto room = provider.gate->room(1);
    Forecaster out{provider.spec.name,
                   [gate = provider.gate](milliseconds within) { return gate->sendsWithin(within); },
                   {}};
    if (room.now > 0) {
        out.first_in = milliseconds{0};
    } else if (room.more_at != SteadyTime::max()) {
        out.first_in = std::chrono::ceil<milliseconds>(std::max(room.more_at, now) - now);
    }
    return out;
}

void putProvider(json::Writer& w, const Forecaster& provider, int64_t taken, int64_t requests) {
    constexpr double kDigits = 10'000;
    const double share = requests > 0 ? static_cast<double>(taken) / static_cast<double>(requests) : 0.0;
    w.StartObject();
    json::put(w, "provider", provider.name);
    w.Key("share");
    w.Double(std::round(share * kDigits) / kDigits);
    w.Key("firstInSeconds");
    if (provider.first_in) {
        w.Int64(engine::wholeSeconds(*provider.first_in));
    } else {
        w.Null();
    }
    w.EndObject();
}

void putEstimate(json::Writer& w, std::optional<std::chrono::seconds> done_in, WallTime now,
                 std::string_view reason) {
    if (done_in) {
        json::putInt(w, "estimatedSeconds", done_in->count());
        json::put(w, "estimatedAt", isoTime(now + *done_in));
        return;
    }
    w.Key("estimatedSeconds");
    w.Null();
    w.Key("estimatedAt");
    w.Null();
    json::put(w, "reason", reason);
}

}  // namespace

std::string forecastJson(int64_t jobs, int64_t queued, const std::vector<Forecaster>& providers, WallTime now,
                         const std::vector<std::string>& warnings) {
    std::vector<engine::Capacity> capacities;
    for (const auto& provider : providers) capacities.push_back(provider.capacity);
    const auto estimate = engine::forecast(jobs + queued, capacities);
    const bool ready =
        std::ranges::any_of(providers, [](const Forecaster& p) { return p.first_in == milliseconds{0}; });

    return jsonObject([&](json::Writer& w) {
        json::putInt(w, "jobs", jobs);
        json::putInt(w, "queued", queued);
        json::putBool(w, "ready", ready);
        putEstimate(
            w, providers.empty() ? std::nullopt : estimate.done_in, now,
            providers.empty() ? "No provider is enabled" : "The providers would need more than 31 days");
        w.Key("providers");
        w.StartArray();
        for (size_t i = 0; i < providers.size(); ++i)
            putProvider(w, providers[i], estimate.taken[i], jobs + queued);
        w.EndArray();
        engine::putWarnings(w, warnings);
    });
}

namespace {

// ?jobs=0..1000000 (0 unless given): how many more than those that wait.
http::Response forecast(const http::Request& request, const ApiDeps& deps) {
    const auto jobs = wholeNumber(request.queryValue("jobs").value_or("0"), 0, kMostJobs);
    if (!jobs) return badRequest("Invalid jobs: expected an integer from 0 to 1000000", request.id);
    const auto stats = deps.jobs.store().stats();
    if (!stats) return storeUnavailable(stats.error(), request.id);
    std::vector<Forecaster> providers;
    const auto snapshot = deps.snapshots.get();
    for (const auto& provider : snapshot->providers)
        if (provider.enabled()) providers.push_back(forecasterOf(provider, deps.clock.now()));
    Remarks remarks;
    remarkOnQuery(request, {"jobs"}, remarks);
    return http::Response::json(
        200, forecastJson(*jobs, queuedOf(*stats), providers, deps.clock.wall(), remarks.warnings()));
}

}  // namespace

Routes forecastRoutes(const ApiDeps& deps) {
    using http::Body, http::Role;
    const auto handle = [deps](const http::Request& request) { return forecast(request, deps); };
    return {
        {"GET", "/v1/forecast", "When the queued jobs, and more, would be done; ?jobs=", Body::None,
         Role::Client, handle},
        {"GET", "/v1/plan", "The former name of /v1/forecast; ?jobs=", Body::None, Role::Client, handle},
    };
}

}  // namespace stepper::api
