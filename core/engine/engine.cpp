#include "core/engine/engine.h"

#include <algorithm>

#include "core/engine/chain.h"
#include "core/engine/fallback.h"

namespace stepper::engine {
namespace {

// How late a waiting request may notice that its client is gone.
constexpr milliseconds kCancelCheck{100};

std::string_view statusOf(const Outcome& o) {
    if (o.failure) return "failed";
    return o.fallback ? "fallback" : "completed";
}

bool mayFallBack(const Failure& failure, Fallback when) {
    if (failure.kind != Failure::Kind::Exhausted) return false;
    return when == Fallback::Always || (when == Fallback::WhenHopeless && !failure.retryable);
}

}  // namespace

Outcome Engine::generate(const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel,
                         const RunOptions& options) {
    const auto snapshot = deps_.snapshots.get();
    Outcome outcome = Chain(*this, *snapshot, request, deadline, cancel, options.progress).run();
    if (outcome.failure && snapshot->config.fallback_enabled &&
        mayFallBack(*outcome.failure, options.fallback)) {
        outcome.failure.reset();
        outcome.provider = "fallback";
        outcome.fallback = true;
        outcome.result = fallbackFor(request, snapshot->config.security.redact);
    }
    const std::string_view mode = request.mode == output::Mode::Text ? "text" : "json";
    deps_.metrics.request(outcome.provider.empty() ? "none" : outcome.provider, statusOf(outcome),
                          request.preset(), mode, outcome.total);
    if (outcome.usage.any())
        deps_.metrics.tokens(outcome.provider, outcome.usage.prompt.value_or(0),
                             outcome.usage.completion.value_or(0));
    return outcome;
}

uint64_t Engine::slotsFreed() {
    std::lock_guard lock(mutex_);
    return slots_freed_;
}

void Engine::slotFreed() {
    {
        std::lock_guard lock(mutex_);
        ++slots_freed_;
        if (waiting_ == 0) return;
    }
    slot_freed_.notify_all();
}

CancelReason Engine::waitForSlot(uint64_t seen, SteadyTime until, CancelToken& cancel) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    CancelReason reason = CancelReason::None;
    while (slots_freed_ == seen && reason == CancelReason::None) {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (now >= until) break;
        slot_freed_.wait_until(lock, std::min(until, now + kCancelCheck));
        lock.unlock();
        reason = cancel.check();
        lock.lock();
    }
    --waiting_;
    return reason;
}

}  // namespace stepper::engine
