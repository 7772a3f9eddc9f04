#include "core/engine/engine.h"

#include <algorithm>

#include "core/engine/chain.h"
#include "core/engine/fallback.h"
#include "core/engine/plan.h"

namespace stepper::engine {
namespace {

// More room than anybody has workers for.
constexpr int kMostRoom = 4096;

std::string_view statusOf(const Outcome& o) {
    if (o.failure) return "failed";
    return o.fallback ? "fallback" : "completed";
}

bool mayFallBack(const Failure& failure, SteadyTime deadline, const RunOptions& options,
                 const config::Config& config) {
    using Kind = Failure::Kind;
    const bool waited = options.wait || options.waiting_is_over;
    const bool late = std::chrono::steady_clock::now() + kMinCall >= deadline;
    switch (failure.kind) {
        case Kind::Stopped: return false;
        case Kind::AllLimited: return waited && config.fallback_when_limited;
        case Kind::NoneReady: return waited && options.fallback == Fallback::Always;
        // It is no provider's failure, and passes.
        case Kind::OutOfMeans: return options.waiting_is_over && options.fallback == Fallback::Always;
        case Kind::Exhausted: break;
    }
    const bool hopeless = !failure.retryable || (options.ends_at_deadline && late);
    return options.fallback == Fallback::Always || (options.fallback == Fallback::WhenHopeless && hopeless);
}

}  // namespace

Outcome Engine::generate(const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel,
                         const RunOptions& options) {
    const auto snapshot = deps_.snapshots.get();
    Outcome outcome = Chain(*this, *snapshot, request, deadline, cancel, options).run();
    if (outcome.failure && snapshot->config.fallback_enabled &&
        mayFallBack(*outcome.failure, deadline, options, snapshot->config)) {
        outcome.failure.reset();
        outcome.provider = "fallback";
        outcome.fallback = true;
        outcome.result = json::dump(fallbackFor(request, snapshot->config.security.redact));
    }
    const std::string_view mode = request.mode == output::Mode::Text ? "text" : "json";
    deps_.metrics.request(outcome.provider.empty() ? "none" : outcome.provider, statusOf(outcome),
                          request.preset(), mode, outcome.total);
    return outcome;
}

std::optional<Outcome> Engine::tooLarge(const GenerateRequest& request) {
    const auto snapshot = deps_.snapshots.get();
    // Its text is rendered only where its size may matter.
    const auto takes_any = [](const ProviderEntry* p) {
        return p->enabled() && p->gate->look({}).most_bytes == limits::Readiness::kAnySize;
    };
    if (std::ranges::any_of(plan(*snapshot, request), takes_any)) return std::nullopt;
    CancelToken nobody;
    const RunOptions options;
    return Chain(*this, *snapshot, request, SteadyTime::max(), nobody, options).tooLarge();
}

limits::Gate::Room Engine::roomForJobs() {
    limits::Gate::Room all{0, SteadyTime::max()};
    bool hope = false;
    for (const auto& provider : deps_.snapshots.get()->providers) {
        if (!provider.enabled()) continue;
        const auto room = provider.gate->room(kMostRoom);
        all.now = std::min(all.now + room.now, kMostRoom);
        all.more_at = std::min(all.more_at, room.more_at);
        hope = hope || !room.set_aside;
    }
    // Jobs that nobody can serve are not kept waiting to be told so.
    if (!hope) return {kMostRoom, SteadyTime::max()};
    return dispatcher_.roomForJobs(all);
}

}  // namespace stepper::engine
