#include "core/engine/chain.h"

#include <algorithm>

#include "core/engine/attempt.h"
#include "core/engine/chat_request.h"
#include "core/engine/classify.h"
#include "core/engine/plan.h"

namespace stepper::engine {
namespace {

using std::chrono::steady_clock;

// A cooling provider is waited for this long at most; a slot is waited for until the deadline, since any call
// may end at any moment.
constexpr milliseconds kMaxCoolingWait{2'000};
// Less time than this is not worth starting a call in.
constexpr milliseconds kMinCall{50};

milliseconds since(SteadyTime start) {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

bool isLimit(const AttemptRecord& r) {
    if (!r.skipped.empty()) return r.skipped == "rate_limited" || r.skipped == "busy";
    return r.error && r.error_code == "RATE_LIMIT";
}

// A slot that was entered is given back whatever happens in between.
class HeldSlot {
public:
    explicit HeldSlot(limits::Gate& gate) : gate_(gate) {}
    ~HeldSlot() { gate_.leave(report_); }
    HeldSlot(const HeldSlot&) = delete;
    HeldSlot& operator=(const HeldSlot&) = delete;
    void learned(limits::Report report) { report_ = report; }

private:
    limits::Gate& gate_;
    limits::Report report_;
};

}  // namespace

Chain::Chain(Engine& engine, const Snapshot& snapshot, const GenerateRequest& request, SteadyTime deadline,
             CancelToken& cancel, std::atomic<int>* progress)
    : engine_(engine),
      snapshot_(snapshot),
      request_(request),
      started_(steady_clock::now()),
      deadline_(deadline),
      cancel_(cancel),
      progress_(progress) {
    for (const auto* entry : plan(snapshot, request.preferred, request.excluded))
        legs_.push_back({entry, true, {}});
    for (auto& leg : legs_)
        if (!leg.provider->enabled()) skip(leg, limits::Denial::Disabled, milliseconds{0});
}

Outcome Chain::run() {
    while (!outOfTime()) {
        Leg* leg = nextReady();
        if (!leg || tryLeg(*leg)) break;
    }
    if (out_.provider.empty()) out_.failure = conclude();
    for (auto& leg : legs_)
        if (leg.record) out_.attempts.push_back(std::move(*leg.record));
    out_.total = since(started_);
    return std::move(out_);
}

Chain::Leg* Chain::nextReady() {
    for (;;) {
        SteadyTime soonest = SteadyTime::max();
        bool busy = false;
        const uint64_t seen = engine_.slotsFreed();
        for (auto& leg : legs_) {
            if (!leg.pending) continue;
            const auto admission = leg.provider->gate->tryEnter();
            if (admission) return &leg;
            busy = busy || admission.denied == limits::Denial::Busy;
            soonest = std::min(soonest, admission.ready_at);
        }
        const SteadyTime now = steady_clock::now();
        const bool soon = soonest <= std::min(now + kMaxCoolingWait, deadline_ - kMinCall);
        if (!soon && !busy) break;
        const SteadyTime until = std::min(soonest, deadline_ - kMinCall);
        if (now >= until && !soon) break;
        if (const auto reason = engine_.waitForSlot(seen, until, cancel_); reason != CancelReason::None) {
            stop_ = Error{ErrorClass::Cancelled, std::string(name(reason))};
            return nullptr;
        }
    }
    skipRest();
    return nullptr;
}

bool Chain::tryLeg(Leg& leg) {
    const ProviderEntry& provider = *leg.provider;
    leg.pending = false;
    AttemptRecord& record = leg.record.emplace();
    record.provider = provider.spec.name;
    tellProgress();

    const SteadyTime began = steady_clock::now();
    auto answer = call(provider);
    const milliseconds took = since(began);
    engine_.slotFreed();
    engine_.deps_.metrics.attempt(provider.spec.name, took);

    if (answer) {
        auto value = output::process(answer->text, request_.mode, request_.schema.get());
        if (value) {
            succeed(leg, std::move(answer).value(), std::move(value).value(), took);
            return true;
        }
        answer = std::move(value).error();
    }
    const Verdict& verdict = verdictOn(answer.error().error_class);
    record.error = answer.error();
    record.error_code = verdict.wire_code;
    record.retry_after = answer.error().retry_after;
    record.duration = took;
    engine_.deps_.metrics.providerFailure(provider.spec.name, verdict.wire_code);
    if (verdict.next == Next::Stop) stop_ = answer.error();
    return stop_.has_value();
}

Result<plugin::Answer> Chain::call(const ProviderEntry& provider) {
    HeldSlot slot(*provider.gate);
    auto messages = messagesFor(request_, provider.spec, snapshot_.config.security.redact);
    // Nothing was sent, so it says nothing of the provider; UNKNOWN is what clients know it by.
    if (!messages) return Error{ErrorClass::Internal, messages.error().message};
    const SteadyTime until = std::min(deadline_, steady_clock::now() + provider.spec.timeout);
    const bool stream =
        provider.spec.stream && (provider.plugin->image().capabilities() & STEPPER_CAP_STREAM);
    const std::string chat = chatRequestJson(request_, provider.spec, *messages, stream);
    auto answer = attempt(provider, chat, until, cancel_, engine_.deps_.transport);
    if (answer) {
        slot.learned({limits::Report::Kind::Ok});
    } else {
        slot.learned({verdictOn(answer.error().error_class).report, answer.error().retry_after});
    }
    return answer;
}

void Chain::succeed(Leg& leg, plugin::Answer answer, json::Document value, milliseconds took) {
    leg.record->duration = took;
    skipBefore(leg);
    out_.result = std::move(value);
    out_.provider = leg.provider->spec.name;
    out_.validated = true;
    out_.provider_time = took;
    out_.usage = answer.usage;
    out_.model = answer.model.empty() ? leg.provider->spec.model : answer.model;
}

void Chain::skip(Leg& leg, limits::Denial why, milliseconds ready_in) {
    leg.pending = false;
    AttemptRecord& record = leg.record.emplace();
    record.provider = leg.provider->spec.name;
    record.number = 0;
    record.skipped = name(why);
    if (ready_in.count() > 0) record.retry_after = ready_in;
}

void Chain::skipBefore(const Leg& winner) {
    for (auto& leg : legs_) {
        if (&leg == &winner) return;
        if (!leg.pending) continue;
        const auto state = leg.provider->gate->state();
        skip(leg, state.denied.value_or(limits::Denial::Busy), state.ready_in);
    }
}

void Chain::skipRest() {
    for (auto& leg : legs_) {
        if (!leg.pending) continue;
        const auto state = leg.provider->gate->state();
        skip(leg, state.denied.value_or(limits::Denial::Busy), state.ready_in);
    }
}

// From 10, so that a running request differs from a waiting one, towards 90: the end is not ours to announce.
void Chain::tellProgress() const {
    if (!progress_) return;
    const auto begun = std::count_if(legs_.begin(), legs_.end(), [](const Leg& l) { return !l.pending; });
    *progress_ = 10 + 80 * (static_cast<int>(begun) - 1) / static_cast<int>(legs_.size());
}

bool Chain::outOfTime() const { return steady_clock::now() + kMinCall >= deadline_; }

Failure Chain::conclude() const {
    using Kind = Failure::Kind;
    if (stop_) {
        const Verdict& v = verdictOn(stop_->error_class);
        return {Kind::Stopped, v.wire_code, v.http_status, stop_->message, v.job_retries, stop_->retry_after};
    }
    std::vector<const AttemptRecord*> told;
    for (const auto& leg : legs_)
        if (leg.record && leg.record->skipped != "disabled") told.push_back(&*leg.record);
    if (!told.empty() && std::all_of(told.begin(), told.end(), [](const auto* r) { return isLimit(*r); }))
        return {Kind::AllLimited,
                "RATE_LIMIT",
                429,
                "All configured providers are rate limited. Try again later.",
                true,
                soonestReady().value_or(milliseconds{1'000})};
    if (outOfTime())
        return {Kind::Exhausted,
                "DEADLINE",
                504,
                "The request's deadline passed before a provider answered.",
                true,
                std::nullopt};
    return failed();
}

Failure Chain::failed() const {
    Failure out{Failure::Kind::Exhausted,
                "UPSTREAM_UNAVAILABLE",
                503,
                "No provider is available.",
                false,
                soonestReady()};
    bool chance = false;
    for (const auto& leg : legs_) {
        if (!leg.record || !leg.record->error) {
            chance = true;  // it was passed over, and may be ready another time
            continue;
        }
        const Verdict& v = verdictOn(leg.record->error->error_class);
        chance = chance || v.job_retries;
        out.code = v.wire_code;
        out.http_status = v.http_status;
        out.message = "All configured providers failed. The last one: " + leg.record->error->message;
    }
    out.retryable = chance;
    return out;
}

std::optional<milliseconds> Chain::soonestReady() const {
    milliseconds soonest = milliseconds::max();
    for (const auto& leg : legs_) {
        if (!leg.provider->enabled()) continue;
        const milliseconds asked =
            leg.record ? leg.record->retry_after.value_or(milliseconds{0}) : milliseconds{0};
        soonest = std::min(soonest, std::max(asked, leg.provider->gate->state().ready_in));
    }
    if (soonest == milliseconds::max() || soonest.count() == 0) return std::nullopt;
    return soonest;
}

}  // namespace stepper::engine
