#include "core/engine/conclusion.h"

#include <algorithm>

#include "core/engine/classify.h"

namespace stepper::engine {
namespace {

using Kind = Failure::Kind;

// When all are busy nobody knows when a slot comes free: within a usual call, most likely.
constexpr milliseconds kUsualCall{1'000}, kSoonestSlot{250}, kLatestSlot{5'000};

bool isLimit(const AttemptRecord& r) {
    if (!r.skipped.empty())
        return r.skipped == "rate_limited" || r.skipped == "busy" || r.skipped == "not_yet";
    return r.error && r.error_code == "RATE_LIMIT";
}

bool isTooLarge(const AttemptRecord& r) { return r.skipped == "too_large"; }

bool isLate(const AttemptRecord& r) { return r.skipped == "deadline"; }

bool isSkipped(const AttemptRecord& r) { return !r.skipped.empty(); }

milliseconds soonestSlot(std::span<const Leg> legs) {
    std::optional<milliseconds> soonest;
    for (const Leg& leg : legs) {
        const auto usual = leg.provider->gate->p50();
        if (!usual) continue;
        const milliseconds next = *usual / leg.provider->spec.concurrency;
        soonest = std::min(soonest.value_or(next), next);
    }
    return std::clamp(soonest.value_or(kUsualCall), kSoonestSlot, kLatestSlot);
}

// It has said its last word, now or in an earlier run, or is never asked.
bool isDone(const Leg& leg) {
    if (!leg.provider->enabled()) return true;
    if (leg.records.empty()) return false;
    const AttemptRecord& last = leg.records.back();
    return last.last_word || last.skipped == kAnsweredBadly || isTooLarge(last);
}

// None when somebody may be ready at once, or nobody knows.
std::optional<milliseconds> soonestReady(const Situation& at) {
    const SteadyTime now = at.now;
    SteadyTime soonest = at.soonest;
    for (const Leg& leg : at.legs) {
        const AttemptRecord* last = leg.records.empty() ? nullptr : &leg.records.back();
        if (isDone(leg) || (last && last->skipped == "not_yet")) continue;
        const auto ready = leg.provider->gate->look(at.demand);
        const SteadyTime comes = ready ? now : ready.at;
        if (comes == SteadyTime::max()) continue;
        const auto asked = last ? last->retry_after : std::nullopt;
        soonest = std::min(soonest, std::max(comes, now + asked.value_or(milliseconds{0})));
    }
    if (soonest == SteadyTime::max() || soonest <= now) return std::nullopt;
    return std::chrono::ceil<milliseconds>(soonest - now);
}

// One that was passed over for what passes.
std::optional<milliseconds> othersReady(const Situation& at) {
    std::optional<milliseconds> soonest;
    for (const Leg& leg : at.legs) {
        if (leg.records.empty() || !leg.provider->enabled()) continue;
        const std::string& why = leg.records.back().skipped;
        if (why != "rate_limited" && why != "circuit_open" && why != "busy") continue;
        const auto ready = leg.provider->gate->look(at.demand);
        const bool unknown = !ready && ready.at == SteadyTime::max();
        const auto in = ready     ? milliseconds{0}
                        : unknown ? soonestSlot(at.legs)
                                  : std::chrono::ceil<milliseconds>(ready.at - at.now);
        soonest = std::min(soonest.value_or(in), in);
    }
    return soonest;
}

bool passes(const AttemptRecord& r) {
    if (isSkipped(r)) return isLimit(r) || r.skipped == "circuit_open" || r.skipped == kNoResources;
    return !r.of_request && verdictOn(r.error->error_class).job_retries;
}

// Whoever was asked brought no answer, and somebody is worth waiting for.
bool isOutage(std::span<const Leg> legs) {
    return std::ranges::any_of(
        legs, [](const Leg& leg) { return !leg.records.empty() && passes(leg.records.back()); });
}

bool isSpent(const Situation& at) {
    return at.is_job && (at.no_calls_left || std::ranges::all_of(at.legs, isDone));
}

Failure tooLate(const Situation& at) {
    Failure out = pastDeadline({});
    if (at.waits && at.too_short)
        out.message = "The time that the request allows is too short to ask a provider. Allow more.";
    return out;
}

Failure tooLarge(std::span<const Leg> legs) {
    std::string message = "The request is too large for every provider that could take it. Shorten it.";
    for (const Leg& leg : legs)
        for (const AttemptRecord& record : leg.records)
            if (record.error) message += " " + record.provider + ": " + record.error->message + ".";
    const Verdict& v = verdictOn(ErrorClass::ContextTooLong);
    return {Kind::Exhausted, v.wire_code, v.http_status, message, v.job_retries, std::nullopt};
}

std::string limitedMessage(std::span<const Leg> legs) {
    std::string out = "All configured providers are rate limited. Try again later.";
    for (const Leg& leg : legs)
        if (const auto words = leg.provider->gate->state().quota_words; !words.empty())
            out += " Of its quota " + leg.provider->spec.name + " said: " + words;
    return out;
}

Failure limited(const Situation& at) {
    return {Kind::AllLimited,        "RATE_LIMIT", 429,
            limitedMessage(at.legs), true,         soonestReady(at).value_or(soonestSlot(at.legs))};
}

Failure noneReady(const Situation& at) {
    return {Kind::NoneReady,
            "UPSTREAM_UNAVAILABLE",
            503,
            "No provider can be asked now: their limits are used up or their circuits open.",
            true,
            soonestReady(at).value_or(soonestSlot(at.legs))};
}

bool isShort(const AttemptRecord& r) { return r.skipped == kNoResources; }

Failure shortOfMeans(const Situation& at) {
    return {
        Kind::OutOfMeans,
        "OVERLOADED",
        503,
        "This server is short of descriptors, threads or memory and could not ask a provider. Try again in a "
        "moment.",
        true,
        soonestSlot(at.legs)};
}

std::string absentMessage(std::span<const Leg> legs) {
    std::string out = "No provider is available.";
    for (const Leg& leg : legs) {
        if (!leg.records.empty() && leg.records.back().skipped == kAnsweredBadly)
            out += " " + leg.provider->spec.name + " has answered this badly before.";
        const config::Provider& spec = leg.provider->spec;
        const auto why = leg.provider->gate->state().set_aside;
        if (why == limits::SetAside::KeyRefused) out += " " + spec.name + " refused its API key.";
        if (why == limits::SetAside::ModelMissing)
            out += " " + spec.name + " does not know the model '" + spec.model + "'.";
    }
    return out;
}

bool allRefuseTheirKeys(std::span<const Leg> legs) {
    const auto is_on = [](const Leg& leg) { return leg.provider->enabled(); };
    return std::ranges::any_of(legs, is_on) && std::ranges::all_of(legs, [&](const Leg& leg) {
               return !is_on(leg) || leg.provider->gate->state().set_aside == limits::SetAside::KeyRefused;
           });
}

Failure failed(const Situation& at) {
    Failure out{Kind::Exhausted, "UPSTREAM_UNAVAILABLE", 503, absentMessage(at.legs),
                false,           soonestReady(at)};
    if (allRefuseTheirKeys(at.legs)) {
        const Verdict& v = verdictOn(ErrorClass::Auth);
        out.code = v.wire_code;
        out.http_status = v.http_status;
    }
    for (const Leg& leg : at.legs) {
        if (leg.records.empty() || isSkipped(leg.records.back())) {
            // It was passed over, and may be ready another time.
            const bool never = !leg.provider->enabled() ||
                               (!leg.records.empty() && (isTooLarge(leg.records.back()) ||
                                                         leg.records.back().skipped == kAnsweredBadly));
            out.retryable = out.retryable || !never;
            continue;
        }
        const Error& error = *leg.records.back().error;
        const Verdict& v = verdictOn(error.error_class);
        out.retryable = out.retryable || v.job_retries;
        out.code = v.wire_code;
        out.http_status = v.http_status;
        out.message = "All configured providers failed. The last one: " + error.message;
    }
    return out;
}

Failure concluded(const Situation& at) {
    if (at.stop) {
        const Verdict& v = verdictOn(at.stop->error_class);
        return {Kind::Stopped,    v.wire_code,   v.http_status,
                at.stop->message, v.job_retries, at.stop->retry_after};
    }
    // Who does not wait had no time to begin with.
    if (!at.waits && at.out_of_time) return tooLate(at);
    // Of the others nothing can be hoped for.
    std::vector<const AttemptRecord*> told;
    bool any_too_large = false, any_answered = false;
    for (const Leg& leg : at.legs)
        for (const AttemptRecord& record : leg.records) {
            any_too_large = any_too_large || isTooLarge(record);
            any_answered = any_answered || record.skipped == kAnsweredBadly;
            if (!isTooLarge(record) && record.skipped != "disabled" && record.skipped != kAnsweredBadly)
                told.push_back(&record);
        }
    if (told.empty()) return any_too_large && !any_answered ? tooLarge(at.legs) : failed(at);
    const auto all = [&](bool (*is)(const AttemptRecord&)) {
        return std::ranges::all_of(told, [&](const auto* r) { return is(*r); });
    };
    const auto any = [&](bool (*is)(const AttemptRecord&)) {
        return std::ranges::any_of(told, [&](const auto* r) { return is(*r); });
    };
    if (any(isLate)) return tooLate(at);
    // Whoever was passed over might have been waited for longer.
    const bool cut = at.out_of_time && any(isSkipped);
    if (all(isLimit)) return cut ? pastDeadline(limited(at)) : limited(at);
    if (any(isShort) && all(isSkipped)) return shortOfMeans(at);
    if (all(isSkipped)) return cut ? pastDeadline(noneReady(at)) : noneReady(at);
    return at.out_of_time ? tooLate(at) : failed(at);
}

}  // namespace

Failure pastDeadline(Failure failure) {
    failure.code = "DEADLINE";
    failure.http_status = 504;
    failure.message = "The request's deadline passed before a provider answered.";
    failure.retryable = true;
    return failure;
}

Failure conclude(const Situation& at) {
    Failure out = concluded(at);
    out.spent = isSpent(at);
    if (out.kind == Kind::Exhausted && isOutage(at.legs)) {
        out.outage = true;
        out.others_ready = othersReady(at);
    }
    return out;
}

}  // namespace stepper::engine
