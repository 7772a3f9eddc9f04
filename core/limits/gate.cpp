#include "core/limits/gate.h"

#include <algorithm>

namespace stepper::limits {
namespace {

constexpr milliseconds kRateLimitBase{2'000}, kRateLimitCap{60'000};
constexpr milliseconds kQuotaPause{600'000}, kQuotaCap{86'400'000};
constexpr milliseconds kKeyBase{300'000}, kKeyCap{3'600'000};
// A provider that says "come back never" must not be lost until a restart.
constexpr milliseconds kLongestHint{86'400'000};

milliseconds doubled(milliseconds base, int times, milliseconds cap) {
    milliseconds d = base;
    for (int i = 0; i < times && d < cap; ++i) d *= 2;
    return std::min(d, cap);
}

}  // namespace

std::string_view name(Denial d) {
    switch (d) {
        case Denial::RateLimited: return "rate_limited";
        case Denial::CircuitOpen: return "circuit_open";
        case Denial::Busy: return "busy";
        case Denial::Disabled: break;
    }
    return "disabled";
}

std::optional<Denial> Gate::denialAt(SteadyTime now) const {
    if (now < cooling_until_) return cooling_for_;
    if (in_flight_ >= options_.concurrency) return Denial::Busy;
    return std::nullopt;
}

SteadyTime Gate::readyAt(Denial d) const { return d == Denial::Busy ? SteadyTime::max() : cooling_until_; }

Admission Gate::tryEnter() {
    std::lock_guard lock(mutex_);
    if (const auto denied = denialAt(clock_.now())) return {denied, readyAt(*denied)};
    ++in_flight_;
    return {};
}

void Gate::cool(Denial why, milliseconds fallback_base, milliseconds cap, int step, const Report& report) {
    const milliseconds pause =
        report.retry_after ? std::min(*report.retry_after, kLongestHint) : doubled(fallback_base, step, cap);
    const SteadyTime until = clock_.now() + pause;
    if (until <= cooling_until_) return;
    cooling_until_ = until;
    cooling_for_ = why;
}

void Gate::leave(const Report& report) {
    std::lock_guard lock(mutex_);
    --in_flight_;
    switch (report.kind) {
        case Report::Kind::Ok: failures_in_row_ = limits_in_row_ = refusals_in_row_ = 0; return;
        case Report::Kind::Neutral: return;
        case Report::Kind::RateLimited:
            return cool(Denial::RateLimited, kRateLimitBase, kRateLimitCap, limits_in_row_++, report);
        case Report::Kind::QuotaExhausted:
            return cool(Denial::RateLimited, kQuotaPause, kQuotaCap, limits_in_row_++, report);
        case Report::Kind::KeyRefused:
            return cool(Denial::Disabled, kKeyBase, kKeyCap, refusals_in_row_++, report);
        case Report::Kind::Failed: break;
    }
    ++failures_in_row_;
    const int beyond = failures_in_row_ - options_.consecutive_failures;
    if (beyond >= 0 || report.retry_after)
        cool(Denial::CircuitOpen, options_.open_for, options_.max_open_for, std::max(beyond, 0), report);
}

GateState Gate::state() const {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    GateState out;
    out.denied = denialAt(now);
    if (now < cooling_until_) out.ready_in = std::chrono::ceil<milliseconds>(cooling_until_ - now);
    out.in_flight = in_flight_;
    out.consecutive_failures = failures_in_row_;
    return out;
}

void Gate::reconfigure(GateOptions options) {
    std::lock_guard lock(mutex_);
    options_ = options;
    if (cooling_for_ == Denial::Disabled) cooling_until_ = {};
    refusals_in_row_ = 0;
}

}  // namespace stepper::limits
