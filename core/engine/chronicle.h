// What people are told of one provider, by name, through reloads: its last error, and in the log each kind of
// failure when it begins and now and then while it lasts, its circuit, and that it is back. Safe from any
// thread.
#pragma once
#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/limits/gate.h"
#include "core/telemetry/recurrence.h"

namespace stepper::engine {

class Chronicle {
public:
    struct LastError {
        std::string code;     // as in answers
        std::string message;  // without secrets
        int64_t number = 0;   // of failed attempts so far
        WallTime at;
    };

    // What a visit that nobody asked for found: a probe of its keys, or a warm-up.
    struct Visit {
        WallTime at;
        milliseconds took{0};
        std::optional<Error> error;  // none: it went well
    };
    enum class Kind { Probe, Warmup };

    Chronicle(std::string provider, const Clock& clock) : provider_(std::move(provider)), clock_(clock) {}

    // An attempt failed; `of_request`: by the request's fault. `request_id` may be empty.
    void failed(std::string_view code, const Error& error, bool of_request, std::string_view request_id);
    void answered();
    // What its gate has to tell beside that.
    void news(const limits::Gate::News& news, std::string_view model);

    // In the log when it turns out otherwise than the one before.
    void visited(Kind kind, const Visit& visit);

    std::optional<LastError> lastError() const;
    std::optional<Visit> lastVisit(Kind kind) const;

private:
    const std::string provider_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    Recurrences by_code_;
    Recurrence opens_;
    std::optional<LastError> last_;
    std::array<std::optional<Visit>, 2> visits_;  // by Kind
    // Since it last answered. A limit is none, nor is what a request brings about.
    int64_t failures_in_row_ = 0;
    SteadyTime first_failure_{};
    bool was_told_ = false, is_down_ = false;  // is_down_: its circuit opened, or it was set aside
    bool was_opening_told_ = false;
};

}  // namespace stepper::engine
