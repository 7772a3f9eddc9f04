#include "core/engine/chronicle.h"

#include "core/base/text.h"
#include "core/base/units.h"
#include "core/secrets/redact.h"
#include "core/telemetry/log.h"

namespace stepper::engine {
namespace {

// A stumble that the next answer makes good is no outage.
constexpr int64_t kFewestFailures = 3;
constexpr size_t kMostText = 500;

std::string setAsideReason(const limits::Gate::News& news, std::string_view model) {
    if (news.set_aside == limits::SetAside::KeyRefused && news.key > 0)
        return "the provider refused its API key number " + std::to_string(news.key) +
               "; that one is left alone until the next try, or until a new key is configured";
    if (news.set_aside == limits::SetAside::KeyRefused)
        return "the provider refused its API key; it is left alone until the next try, or until a new key is "
               "configured";
    return "the provider does not know the model '" + std::string(model) +
           "'; it is left alone until the next try, or until its configuration changes";
}

}  // namespace

void Chronicle::failed(std::string_view code, const Error& error, bool of_request,
                       std::string_view request_id) {
    const SteadyTime now = clock_.now();
    const std::string whole = secrets::redact(error.message);
    const std::string_view words = utf8Prefix(whole, kMostText);
    const bool no_outage =
        of_request || error.error_class == ErrorClass::RateLimited || error.error_class == ErrorClass::Quota;
    int64_t times;
    {
        std::lock_guard lock(mutex_);
        if (!no_outage && failures_in_row_++ == 0) first_failure_ = now;
        last_ =
            LastError{std::string(code), std::string(words), last_ ? last_->number + 1 : 1, clock_.wall()};
        times = by_code_.happened(code, now);
        was_told_ = was_told_ || (times > 0 && !no_outage);
    }
    log::write(times > 0 ? log::Level::Warn : log::Level::Debug, "attempt failed",
               {{"provider", provider_},
                {"errorCode", code},
                {"reason", words},
                {"times", std::max<int64_t>(times, 1)},
                {"requestId", request_id}});
}

void Chronicle::answered() {
    int64_t failures;
    SteadyTime since;
    bool was_told;
    {
        std::lock_guard lock(mutex_);
        failures = std::exchange(failures_in_row_, 0);
        if (failures == 0) return;
        was_told = std::exchange(was_told_, false);
        const bool was_down = std::exchange(is_down_, false) || failures >= kFewestFailures;
        if (!was_down) return;
        since = first_failure_;
    }
    log::write(was_told ? log::Level::Info : log::Level::Debug, "provider back",
               {{"provider", provider_},
                {"failures", failures},
                {"after", formatDuration(std::chrono::duration_cast<milliseconds>(clock_.now() - since))}});
}

void Chronicle::news(const limits::Gate::News& news, std::string_view model) {
    using State = limits::Breaker::State;
    if (!news.any()) return;
    const bool opened = news.circuit == State::Open;
    int64_t opens = 0;
    bool was_opening_told;
    {
        std::lock_guard lock(mutex_);
        is_down_ = is_down_ || (news.set_aside && news.key == 0) || opened;
        // One that opens again after it was tried was told of.
        if (opened && !news.reopened) opens = opens_.happened(clock_.now());
        was_told_ = was_told_ || news.set_aside || opens > 0;
        was_opening_told = was_opening_told_;
        if (news.circuit) was_opening_told_ = opened && (was_opening_told || opens > 0);
    }
    if (news.set_aside)
        log::error("alert", {{"provider", provider_}, {"reason", setAsideReason(news, model)}});
    if (!news.circuit) return;
    if (!opened) {
        log::write(was_opening_told ? log::Level::Info : log::Level::Debug, "circuit closed",
                   {{"provider", provider_}});
    } else {
        log::write(opens > 0 ? log::Level::Warn : log::Level::Debug, "circuit opened",
                   {{"provider", provider_},
                    {"times", std::max<int64_t>(opens, 1)},
                    {"failed", news.counts.failed},
                    {"succeeded", news.counts.ok},
                    {"triedAgainIn", formatDuration(news.open_for)}});
    }
}

void Chronicle::visited(Kind kind, const Visit& visit) {
    Visit shown = visit;
    if (shown.error) {
        const std::string whole = secrets::redact(shown.error->message);
        shown.error->message = utf8Prefix(whole, kMostText);
    }
    const bool well = !shown.error;
    const std::string words = well ? "" : shown.error->message;
    bool is_news;
    {
        std::lock_guard lock(mutex_);
        auto& last = visits_[static_cast<size_t>(kind)];
        is_news = last ? well != !last->error : !well;
        last = std::move(shown);
    }
    const std::string_view what = kind == Kind::Probe ? "probe" : "warm-up";
    const auto level = !is_news ? log::Level::Debug : well ? log::Level::Info : log::Level::Warn;
    if (well)
        log::write(level, "visit went well",
                   {{"provider", provider_}, {"visit", what}, {"ms", visit.took.count()}});
    else
        log::write(level, "visit failed", {{"provider", provider_}, {"visit", what}, {"reason", words}});
}

std::optional<Chronicle::Visit> Chronicle::lastVisit(Kind kind) const {
    std::lock_guard lock(mutex_);
    return visits_[static_cast<size_t>(kind)];
}

std::optional<Chronicle::LastError> Chronicle::lastError() const {
    std::lock_guard lock(mutex_);
    return last_;
}

}  // namespace stepper::engine
