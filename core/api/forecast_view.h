// GET /v1/plan: when the jobs there are, and some more, would have been sent.
#pragma once
#include "core/engine/forecast.h"
#include "core/engine/snapshot.h"
#include "core/http/http.h"
#include "core/store/store.h"

namespace stepper::api {

// ?jobs=0..1000000 (0 unless given): how many more than those that wait.
http::Response forecast(const http::Request& request, const engine::Snapshot& snapshot, store::Store& store,
                        const Clock& clock);

// An enabled provider, as far as it matters here.
struct Forecaster {
    std::string name;
    engine::Capacity capacity;
    std::optional<milliseconds> first_in;  // until it takes a request; none: when a call of it ends
};

// {"jobs","queued","ready","estimatedSeconds","estimatedAt","reason"?,"providers":[{"provider","share",
// "firstInSeconds"}],"warnings"?}; the estimate is null where there is a reason. Pure.
std::string forecastJson(int64_t jobs, int64_t queued, const std::vector<Forecaster>& providers,
                         WallTime now, const std::vector<std::string>& warnings = {});

}  // namespace stepper::api
