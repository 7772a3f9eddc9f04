// Admission to one provider: concurrency slots, cooldowns after 429s and refused keys, a pause after failures
// in a row. Pure decisions over an injected clock; no waiting, no I/O.
#pragma once
#include <mutex>
#include <optional>
#include <string_view>

#include "core/base/clock.h"

namespace stepper::limits {

struct GateOptions {
    int concurrency = 2;
    int consecutive_failures = 5;  // so many provider failures in a row open the circuit
    milliseconds open_for{15'000}, max_open_for{300'000};
};

// Why a provider cannot be used at this moment.
enum class Denial { RateLimited, CircuitOpen, Busy, Disabled };
// As it appears in providersAttempted: rate_limited, circuit_open, busy, disabled.
std::string_view name(Denial d);

struct Admission {
    std::optional<Denial> denied;  // empty: a slot is held; give it back with leave()
    SteadyTime ready_at{};  // when denied: the soonest it can change; max() when only a leave() changes it
    explicit operator bool() const { return !denied; }
};

// What an attempt says about its provider. Neutral: nothing (the caller's fault, bad model output,
// cancelled).
struct Report {
    enum class Kind { Ok, Neutral, RateLimited, QuotaExhausted, Failed, KeyRefused };
    Kind kind = Kind::Neutral;
    std::optional<milliseconds> retry_after = {};
};

// What people are shown.
struct GateState {
    std::optional<Denial> denied;
    milliseconds ready_in{0};  // 0 when unknown or now
    int in_flight = 0;
    int consecutive_failures = 0;
};

// Safe from any thread; every call is short. The clock must outlive it.
class Gate {
public:
    Gate(const Clock& clock, GateOptions options) : clock_(clock), options_(options) {}

    Admission tryEnter();
    void leave(const Report& report);
    GateState state() const;
    // New limits after a reload; what is known of the provider stays, except a refused key (it may be new).
    void reconfigure(GateOptions options);

private:
    std::optional<Denial> denialAt(SteadyTime now) const;
    SteadyTime readyAt(Denial d) const;
    void cool(Denial why, milliseconds fallback_base, milliseconds cap, int step, const Report& report);

    const Clock& clock_;
    mutable std::mutex mutex_;
    GateOptions options_;
    int in_flight_ = 0;
    int failures_in_row_ = 0, limits_in_row_ = 0, refusals_in_row_ = 0;
    Denial cooling_for_ = Denial::RateLimited;
    SteadyTime cooling_until_{};
};

}  // namespace stepper::limits
