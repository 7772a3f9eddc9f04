#include "core/api/rate_headers.h"

#include <algorithm>

#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

// When all are busy nobody knows when a slot comes free; soon, most likely.
constexpr milliseconds kBusyHint{1'000};

struct Quota {
    int64_t limit = 0, remaining = 0;
    milliseconds reset{0};
};

// None when no enabled provider counts requests.
std::optional<Quota> quotaOf(const engine::Snapshot& snapshot, SteadyTime now) {
    Quota out;
    SteadyTime more_at = SteadyTime::max();
    for (const auto& provider : snapshot.providers)
        if (provider.enabled()) out.limit += smallestQuota(provider.spec.limits).value_or(0);
    if (out.limit == 0) return std::nullopt;
    for (const auto& provider : snapshot.providers) {
        if (!provider.enabled()) continue;
        const auto room = provider.gate->room(provider.spec.concurrency);
        out.remaining = std::min(out.remaining + room.now, out.limit);
        more_at = std::min(more_at, room.more_at);
    }
    if (out.remaining > 0) return out;
    out.reset = more_at == SteadyTime::max() ? kBusyHint
                                             : std::chrono::ceil<milliseconds>(std::max(more_at, now) - now);
    return out;
}

}  // namespace

std::optional<int64_t> smallestQuota(const config::Limits& limits) {
    std::optional<int64_t> out;
    const auto consider = [&out](int64_t quota) { out = std::min(out.value_or(quota), quota); };
    // A rate below one a second is one in more than a second.
    if (limits.rps) consider(std::max<int64_t>(static_cast<int64_t>(*limits.rps), 1));
    if (limits.rpm) consider(*limits.rpm);
    if (limits.rpd) consider(*limits.rpd);
    for (const auto& window : limits.windows)
        if (window.requests) consider(*window.requests);
    return out;
}

void addRateLimit(http::Response& response, const engine::Snapshot& snapshot, SteadyTime now) {
    const auto quota = quotaOf(snapshot, now);
    if (!quota) return;
    const std::string remaining = std::to_string(quota->remaining);
    const std::string reset = std::to_string(engine::wholeSeconds(quota->reset));
    response.headers.emplace_back("RateLimit", "\"providers\";r=" + remaining + ";t=" + reset);
    response.headers.emplace_back("X-RateLimit-Limit", std::to_string(quota->limit));
    response.headers.emplace_back("X-RateLimit-Remaining", remaining);
    response.headers.emplace_back("X-RateLimit-Reset", reset);
}

}  // namespace stepper::api
