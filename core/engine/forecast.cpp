#include "core/engine/forecast.h"

#include <algorithm>

namespace stepper::engine {
namespace {

using std::chrono::seconds;

bool suffices(int64_t requests, std::span<const Capacity> providers, seconds within) {
    for (const auto& capacity : providers) {
        if (requests <= 0) break;
        requests -= capacity(within);
    }
    return requests <= 0;
}

std::optional<seconds> soonest(int64_t requests, std::span<const Capacity> providers) {
    seconds too_short{-1}, enough = kForecastHorizon;
    if (!suffices(requests, providers, enough)) return std::nullopt;
    while (enough - too_short > seconds{1}) {
        const seconds middle = too_short + (enough - too_short) / 2;
        (suffices(requests, providers, middle) ? enough : too_short) = middle;
    }
    return enough;
}

}  // namespace

Forecast forecast(int64_t requests, std::span<const Capacity> providers) {
    Forecast out{soonest(requests, providers), {}};
    int64_t left = requests;
    for (const auto& capacity : providers) {
        const int64_t takes = std::min(left, capacity(out.done_in.value_or(kForecastHorizon)));
        out.taken.push_back(takes);
        left -= takes;
    }
    return out;
}

}  // namespace stepper::engine
