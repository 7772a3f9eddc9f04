// GET /v1/forecast: when the jobs there are, and some more, would have been sent.
#pragma once
#include "core/engine/forecast.h"

namespace stepper::api {

// An enabled provider, as far as it matters here.
struct Forecaster {
    std::string name;
    engine::Capacity capacity;
    std::optional<milliseconds> first_in;  // until it takes a request; none: when a call of it ends
};

// {"jobs","queued","ready","estimatedSeconds","estimatedAt","reason"?,"providers":[{"provider","share",
// "firstInSeconds"}],"warnings"?}; the estimate is null where there is a reason. Pure.
std::string forecastJson(int64_t jobs, int64_t queued, const std::vector<Forecaster>& providers, WallTime now,
                         const std::vector<std::string>& warnings = {});

}  // namespace stepper::api
