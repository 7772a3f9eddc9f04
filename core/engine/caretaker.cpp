#include "core/engine/caretaker.h"

#include <algorithm>
#include <optional>
#include <system_error>

#include "core/engine/attempt.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"

namespace stepper::engine {
namespace {

constexpr milliseconds kLongestSleep{3'600'000}, kWithoutMemory{1'000};
// A 403 may be about the list of models alone, and a 407 is a proxy's.
constexpr int kUnauthorized = 401;

// The first that was not refused; what sleeps is woken by any.
size_t usableKey(const limits::GateState& state) {
    const auto usable = [](const auto& key) { return !key.set_aside; };
    const auto it = std::ranges::find_if(state.keys, usable);
    return it == state.keys.end() ? 0 : static_cast<size_t>(it - state.keys.begin());
}

}  // namespace

milliseconds Caretaker::pauseOf(const ProviderEntry& provider) const {
    return kind_ == Kind::Probe ? provider.spec.probe_every : provider.spec.keep_warm;
}

bool Caretaker::isDutyOf(const ProviderEntry& provider) const {
    const uint64_t capability = kind_ == Kind::Probe ? STEPPER_CAP_PROBE : STEPPER_CAP_WARMUP;
    return provider.enabled() && pauseOf(provider) > milliseconds{0} &&
           (provider.plugin->image()->capabilities() & capability);
}

// Whoever has answered is awake.
std::optional<SteadyTime> Caretaker::lastOf(const ProviderEntry& provider) const {
    std::optional<SteadyTime> out;
    const auto known = last_.find(provider.spec.name);
    if (known != last_.end() && known->second.targets == provider.targets) out = known->second.at;
    if (const auto ok = provider.gate->lastOk(); ok && kind_ == Kind::Warmup)
        out = std::max(out.value_or(*ok), *ok);
    return out;
}

bool Caretaker::mayGoOn(CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    return !changed_ && cancel.check() == CancelReason::None;
}

SteadyTime Caretaker::round(CancelToken& cancel) {
    const auto snapshot = snapshots_.get();
    std::erase_if(last_, [&](const auto& known) { return !snapshot->find(known.first); });
    SteadyTime next = SteadyTime::max();
    for (const auto& provider : snapshot->providers) {
        if (!isDutyOf(provider)) continue;
        if (!mayGoOn(cancel)) return clock_.now();
        auto last = lastOf(provider);
        if (!last || *last + pauseOf(provider) <= clock_.now()) {
            last = clock_.now();
            last_.insert_or_assign(provider.spec.name, Last{*last, provider.targets});
            visit(provider, cancel);
        }
        next = std::min(next, *last + pauseOf(provider));
    }
    return next;
}

void Caretaker::visit(const ProviderEntry& provider, CancelToken& cancel) {
    const auto denied = provider.gate->state().denied;
    const bool wants_peace = denied == limits::Denial::RateLimited || denied == limits::Denial::Disabled;
    if (kind_ == Kind::Warmup && wants_peace) return;
    const SteadyTime began = clock_.now();
    const auto error = kind_ == Kind::Probe ? probe(provider, cancel) : wake(provider, cancel);
    if (cancel.check() != CancelReason::None) return;
    provider.chronicle->visited(
        kind_, {clock_.wall(), std::chrono::duration_cast<milliseconds>(clock_.now() - began), error});
}

// Each key; the first failure.
std::optional<Error> Caretaker::probe(const ProviderEntry& provider, CancelToken& cancel) {
    std::optional<Error> first;
    for (const size_t target : provider.targets) {
        if (cancel.check() != CancelReason::None) break;
        auto error = engine::probe(provider, target, {SteadyTime::max(), cancel, transport_, clock_});
        if (error && error->error_class == ErrorClass::Auth && error->http_status == kUnauthorized)
            provider.chronicle->news(provider.gate->keyRefused(target), provider.spec.model);
        if (error && !first) first = std::move(error);
    }
    return first;
}

std::optional<Error> Caretaker::wake(const ProviderEntry& provider, CancelToken& cancel) {
    const size_t place = std::min(usableKey(provider.gate->state()), provider.targets.size() - 1);
    return engine::visit(provider, provider.keyFor(provider.targets[place]), plugin::Purpose::Warmup,
                         {clock_.now() + provider.spec.timeout, cancel, transport_, clock_});
}

void Caretaker::start() {
    try {
        thread_ = std::thread([this] { loop(); });
    } catch (const std::system_error& e) {
        log::error("no thread to look after providers", {{"reason", e.what()}});
    }
}

void Caretaker::look() {
    {
        std::lock_guard lock(mutex_);
        changed_ = true;
    }
    wake_.notify_one();
}

void Caretaker::stop() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    closing_.cancel();
    wake_.notify_one();
}

void Caretaker::close() {
    stop();
    if (thread_.joinable()) thread_.join();
}

void Caretaker::loop() {
    CancelToken cancel;
    cancel.watch(closing_);
    for (;;) {
        SteadyTime next = clock_.now() + kWithoutMemory;
        hasMemoryFor("looking after providers",
                     [&] { next = std::min(round(cancel), clock_.now() + kLongestSleep); });
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, next, [this] { return stop_ || changed_; });
        if (stop_) return;
        changed_ = false;
    }
}

}  // namespace stepper::engine
