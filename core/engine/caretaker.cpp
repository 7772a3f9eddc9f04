#include "core/engine/caretaker.h"

#include <algorithm>
#include <optional>

#include "core/engine/attempt.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"

namespace stepper::engine {
namespace {

using Kind = Chronicle::Kind;

constexpr milliseconds kLongestProbe{30'000};
// While nothing is due: a wall clock that jumps or a thread that sleeps must not make it longer.
constexpr milliseconds kLongestSleep{3'600'000};

struct Duty {
    Kind kind;
    plugin::Job job;
    uint64_t capability;
    milliseconds config::Provider::*pause;
};
constexpr Duty kDuties[] = {
    {Kind::Probe, plugin::Job::Probe, STEPPER_CAP_PROBE, &config::Provider::probe_every},
    {Kind::Warmup, plugin::Job::Warmup, STEPPER_CAP_WARMUP, &config::Provider::keep_warm},
};

bool isDutyOf(const ProviderEntry& provider, const Duty& duty) {
    return provider.enabled() && provider.spec.*duty.pause > milliseconds{0} &&
           (provider.plugin->image()->capabilities() & duty.capability);
}

}  // namespace

SteadyTime Caretaker::round(CancelToken& cancel) {
    const auto snapshot = snapshots_.get();
    SteadyTime next = SteadyTime::max();
    Rota rota;  // without those that are gone
    for (const auto& provider : snapshot->providers)
        for (const Duty& duty : kDuties) {
            if (!isDutyOf(provider, duty) || cancel.check() != CancelReason::None) continue;
            const milliseconds pause = provider.spec.*duty.pause;
            std::optional<SteadyTime> last;
            const auto known = rota_.find({provider.spec.name, duty.kind});
            if (known != rota_.end() && known->second.targets == provider.targets) last = known->second.at;
            // Whoever has answered is awake.
            if (const auto ok = provider.gate->lastOk(); ok && duty.kind == Kind::Warmup)
                last = std::max(last.value_or(*ok), *ok);
            if (!last || *last + pause <= clock_.now()) {
                last = clock_.now();
                visit(provider, duty.kind, cancel);
            }
            rota[{provider.spec.name, duty.kind}] = {*last, provider.targets};
            next = std::min(next, *last + pause);
        }
    rota_ = std::move(rota);
    return next;
}

void Caretaker::visit(const ProviderEntry& provider, Kind kind, CancelToken& cancel) {
    Chronicle::Visit found;
    // Waking takes one key.
    const size_t keys = kind == Kind::Probe ? std::max<size_t>(provider.spec.api_keys.size(), 1) : 1;
    const SteadyTime began = clock_.now();
    for (size_t i = 0; i < keys; ++i) tryKey(provider, i, kind, cancel, found);
    found.at = clock_.wall();
    found.took = std::chrono::duration_cast<milliseconds>(clock_.now() - began);
    if (cancel.check() == CancelReason::None) provider.chronicle->visited(kind, found);
}

// The first failure is told of.
void Caretaker::tryKey(const ProviderEntry& provider, size_t place, Kind kind, CancelToken& cancel,
                       Chronicle::Visit& found) {
    const bool probe = kind == Kind::Probe;
    const milliseconds longest =
        probe ? std::min(provider.spec.timeout, kLongestProbe) : provider.spec.timeout;
    const size_t target = provider.targets[place];
    auto error =
        engine::visit(provider, provider.keyFor(target), probe ? plugin::Job::Probe : plugin::Job::Warmup,
                      std::chrono::steady_clock::now() + longest, cancel, transport_);
    if (!error) return;
    if (probe && error->error_class == ErrorClass::Auth)
        provider.chronicle->news(provider.gate->keyRefused(target), provider.spec.model);
    if (!found.error) found.error = std::move(error);
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

void Caretaker::close() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    closing_.cancel();
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Caretaker::loop() {
    CancelToken cancel;
    cancel.watch(closing_);
    for (;;) {
        SteadyTime next = clock_.now() + kLongestSleep;
        hasMemoryFor("looking after providers", [&] { next = std::min(next, round(cancel)); });
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, next, [this] { return stop_ || changed_; });
        if (stop_) return;
        changed_ = false;
    }
}

}  // namespace stepper::engine
