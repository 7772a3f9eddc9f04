// When a pile of requests would have been sent, by what the providers' limits and speeds allow. Pure.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/base/clock.h"

namespace stepper::engine {

// How many requests one provider could be sent within that time from now; never less for a longer time.
using Capacity = std::function<int64_t(milliseconds)>;

inline constexpr std::chrono::days kForecastHorizon{31};

struct Forecast {
    std::optional<std::chrono::seconds> done_in;  // rounded up; none: not within the horizon
    std::vector<int64_t> taken;                   // by each provider until then, the first ones taking first
};

// Asks each capacity about twenty times.
Forecast forecast(int64_t requests, std::span<const Capacity> providers);

}  // namespace stepper::engine
