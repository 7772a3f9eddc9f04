#include "core/engine/engine.h"

#include <algorithm>

#include "core/engine/chain.h"
#include "core/engine/classify.h"
#include "core/engine/outcome_story.h"
#include "core/engine/plan.h"
#include "core/engine/walk.h"
#include "core/telemetry/log.h"

namespace stepper::engine {
namespace {

// More room than anybody has workers for.
constexpr int kMostRoom = 4096;
constexpr const char* kFallbackWarning =
    "fallback: no provider answered, so this is not an answer of a model";

// `late`: the deadline is as good as over.
bool mayFallBack(const Failure& failure, bool late, const RunOptions& options, const config::Config& config) {
    using Kind = Failure::Kind;
    if (options.fallback == Fallback::Never) return false;
    const bool waited = options.wait || options.waiting_is_over;
    switch (failure.kind) {
        case Kind::Stopped: return false;
        case Kind::AllLimited: return waited && config.fallback_when_limited;
        case Kind::NoneReady: return waited && options.fallback == Fallback::Always;
        // It is no provider's failure, and passes.
        case Kind::OutOfMeans: return options.waiting_is_over && options.fallback == Fallback::Always;
        case Kind::Exhausted: break;
    }
    const bool hopeless = !failure.retryable || failure.spent || (options.ends_at_deadline && late);
    return hopeless || options.fallback == Fallback::Always ||
           (options.fallback == Fallback::UnlessOutage && !failure.outage);
}

}  // namespace

std::string_view statusOf(const Outcome& o) {
    if (o.failure) return "failed";
    return o.fallback ? "fallback" : "completed";
}

Outcome Engine::generate(const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel,
                         const RunOptions& options) {
    const auto snapshot = deps_.snapshots.get();
    Outcome outcome = walkChain(deps_, dispatcher_, *snapshot, request, deadline, cancel, options);
    const std::string_view code = outcome.failure ? outcome.failure->code : std::string_view{};
    if (outcome.failure && snapshot->config.fallback_enabled &&
        mayFallBack(*outcome.failure, deps_.clock.now() + kMinCall >= deadline, options, snapshot->config)) {
        outcome.failure.reset();
        outcome.provider = "fallback";
        outcome.fallback = true;
        outcome.warnings.emplace_back(kFallbackWarning);
        outcome.result =
            json::dump(request.question->fallback(prompt::redactionIf(snapshot->config.security.redact)));
    }
    // What becomes of a job that failed is told by whoever runs it.
    if (outcome.fallback || (outcome.failure && options.wait)) tellOfNoAnswer(outcome, code, options);
    deps_.metrics.request(outcome.provider.empty() ? "none" : outcome.provider, statusOf(outcome),
                          request.labels(), outcome.total);
    return outcome;
}

void Engine::tellOfNoAnswer(const Outcome& outcome, std::string_view code, const RunOptions& options) {
    const bool cancelled = outcome.failure && outcome.failure->kind == Failure::Kind::Stopped &&
                           outcome.failure->code == verdictOn(ErrorClass::Cancelled).wire_code;
    int64_t times = 0;
    if (!cancelled) {
        std::lock_guard lock(mutex_);
        times = (outcome.fallback ? fallbacks_ : failures_).happened(code, deps_.clock.now());
    }
    const auto level = times > 0 ? log::Level::Warn : log::Level::Debug;
    if (!log::enabled(level)) return;
    log::write(level, outcome.fallback ? "fallback given" : "no answer",
               {{"requestId", options.id},
                {"errorCode", code},
                {"reason", outcome.failure ? outcome.failure->message : "no provider answered"},
                {"story", storyOf(outcome.attempts)},
                {"times", std::max<int64_t>(times, 1)}});
}

std::optional<Outcome> Engine::tooLarge(const GenerateRequest& request) {
    const auto snapshot = deps_.snapshots.get();
    // Its text is rendered only where its size may matter.
    const auto takes_any = [](const ProviderEntry* p) {
        return p->enabled() && p->gate->look({}).most_bytes == limits::Readiness::kAnySize;
    };
    if (std::ranges::any_of(plan(*snapshot, request), takes_any)) return std::nullopt;
    return tooLargeForAll(*snapshot, request, deps_.clock.now());
}

limits::Gate::Room Engine::roomForJobs() {
    limits::Gate::Room all{0, SteadyTime::max()};
    bool hope = false;
    const auto snapshot = deps_.snapshots.get();
    for (const auto& provider : snapshot->providers) {
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
