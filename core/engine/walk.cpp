#include "core/engine/walk.h"

#include <algorithm>

#include "core/engine/classify.h"

namespace stepper::engine {
namespace {

// A job that waits for so long and fails where somebody was answered so lately fails by itself.
constexpr milliseconds kAloneAfter{120'000}, kLately{60'000};

bool hasLastWord(const std::optional<Tried>& tried, const std::string& provider) {
    return tried && std::ranges::find(tried->last_words, provider) != tried->last_words.end();
}

}  // namespace

Walk::Walk(const std::vector<const ProviderEntry*>& plan, const GenerateRequest& request,
           const limits::Demand& demand, const RunOptions& options, SteadyTime deadline, SteadyTime now,
           std::function<double()> chance)
    : request_(request),
      options_(options),
      demand_(demand),
      began_(now),
      deadline_(deadline),
      chance_(std::move(chance)) {
    legs_.reserve(plan.size());
    for (const auto* provider : plan) {
        const SteadyTime patience = now - options.waited + provider->spec.wait_up_to;
        Leg& leg = legs_.emplace_back(Leg{provider, {provider->gate.get(), true, {}, patience}, {}});
        if (!provider->enabled())
            passOver(leg, name(limits::Denial::Disabled));
        else if (hasLastWord(options.tried, provider->spec.name))
            passOver(leg, kAnsweredBadly);
    }
}

std::vector<Candidate> Walk::candidates() const {
    std::vector<Candidate> out;
    out.reserve(legs_.size());
    for (const Leg& leg : legs_) out.push_back(leg.candidate);
    return out;
}

std::optional<SteadyTime> Walk::retryAt(SteadyTime now) const {
    for (const Leg& leg : legs_)
        if (leg.candidate.pending && leg.candidate.not_before > now) return leg.candidate.not_before;
    return std::nullopt;
}

const AttemptRecord& Walk::begin(size_t index) {
    Leg& leg = legs_[index];
    leg.candidate.pending = false;
    AttemptRecord& record = leg.records.emplace_back();
    record.provider = leg.provider->spec.name;
    record.number = static_cast<int>(leg.records.size());
    return record;
}

Walk::Then Walk::failed(size_t index, const Trouble& trouble, milliseconds took, SteadyTime now) {
    Leg& leg = legs_[index];
    const Verdict& verdict = verdictOn(trouble.error.error_class);
    AttemptRecord& record = leg.records.back();
    record.error = trouble.error;
    record.error_code = verdict.wire_code;
    record.retry_after = trouble.error.retry_after;
    record.duration = took;
    if (trouble.unasked) {
        record.number = 0;
        record.skipped = kNoResources;
        return Then::Next;
    }
    record.of_request = tellsOfRequest(*leg.provider, trouble, now);
    record.last_word = isLastWord(trouble);
    told_of_request_ += record.of_request;
    if (verdict.next == Next::Stop) {
        stop_ = trouble.error;
        return Then::Over;
    }
    if (takesAnotherKey(leg, trouble)) return Then::AnotherKey;
    return retries(leg, trouble, now) ? Then::QuickRetry : Then::Next;
}

void Walk::answered(size_t index, milliseconds took, SteadyTime now) {
    legs_[index].records.back().duration = took;
    passOverUpTo(index, now);
}

bool Walk::isTooLargeForAll() {
    bool any = false;
    for (Leg& leg : legs_) {
        if (!leg.candidate.pending) continue;
        const auto ready = leg.provider->gate->look(demand_);
        if (ready.denied != limits::Denial::TooLarge) return false;
        passOverTooLarge(leg, ready.most_bytes);
        any = true;
    }
    return any;
}

Failure Walk::conclusion(SteadyTime now) const {
    return conclude({legs_, demand_, stop_, soonest_, now, options_.wait, outOfTime(now),
                     deadline_ - began_ <= kMinCall, options_.tried.has_value(), !mayCall()});
}

std::vector<AttemptRecord> Walk::takeRecords() {
    std::vector<AttemptRecord> out;
    for (Leg& leg : legs_) std::ranges::move(leg.records, std::back_inserter(out));
    return out;
}

int Walk::progress() const {
    const auto begun = std::ranges::count_if(legs_, [](const Leg& leg) { return !leg.candidate.pending; });
    return 10 + 80 * (static_cast<int>(begun) - 1) / static_cast<int>(legs_.size());
}

void Walk::passOver(Leg& leg, std::string_view why, milliseconds ready_in) {
    leg.candidate.pending = false;
    AttemptRecord& record = leg.records.emplace_back();
    record.provider = leg.provider->spec.name;
    record.number = 0;
    record.skipped = why;
    if (ready_in.count() > 0) record.retry_after = ready_in;
}

void Walk::passOverTooLarge(Leg& leg, uint64_t most_bytes) {
    passOver(leg, name(limits::Denial::TooLarge));
    AttemptRecord& record = leg.records.back();
    record.error =
        Error{ErrorClass::ContextTooLong,
              "its " + std::to_string(demand_.bytes) +
                  " bytes of text are more tokens than a request to this provider may have; about " +
                  std::to_string(most_bytes) + " bytes fit"};
    record.error_code = verdictOn(ErrorClass::ContextTooLong).wire_code;
}

void Walk::passOverUpTo(size_t end, SteadyTime now) {
    bool is_held_back = false;
    for (Leg& leg : std::span(legs_).first(end)) {
        // One that waited for its retry has its record.
        if (!leg.candidate.pending || !leg.records.empty()) continue;
        const auto ready = leg.provider->gate->look(demand_);
        const bool waited_for = now < leg.candidate.hold_until;
        if (ready.denied == limits::Denial::TooLarge) {
            passOverTooLarge(leg, ready.most_bytes);
        } else if (ready.denied) {
            const bool known = ready.at != SteadyTime::max();
            passOver(leg, name(*ready.denied),
                     known ? std::chrono::ceil<milliseconds>(ready.at - now) : milliseconds{0});
        } else {
            // It became free in this moment, when it is none of the other two.
            passOver(leg, outOfTime(now) ? "deadline"
                          : !mayCall()   ? kNoCallsLeft
                          : is_held_back ? "not_yet"
                                         : name(limits::Denial::Busy));
        }
        is_held_back = is_held_back || waited_for;
    }
}

// An answer that broke off was being made, and a call that took all the time of its run would do so again:
// asking again is paid for again. So does a job that goes on failing where others are answered; of a provider
// that says it is overloaded nobody knows.
bool Walk::tellsOfRequest(const ProviderEntry& provider, const Trouble& trouble, SteadyTime now) const {
    const ErrorClass c = trouble.error.error_class;
    const bool unreachable = c == ErrorClass::Transport || c == ErrorClass::Timeout;
    const bool was_answer = trouble.error.http_status < 300;  // 0: nobody noted it
    const bool broke_off = unreachable && trouble.heard && was_answer;
    const bool took_all = c == ErrorClass::Timeout && outOfTime(now);
    const bool lacks_model = c == ErrorClass::ModelNotFound && !request_.model.empty();
    const bool fails = unreachable || c == ErrorClass::Upstream || c == ErrorClass::BadResponse;
    const auto last_ok = provider.gate->lastOk();
    const SteadyTime failed_before = options_.tried ? options_.tried->first_failed : SteadyTime::max();
    const bool alone = fails && options_.waited >= kAloneAfter && last_ok && *last_ok > failed_before &&
                       now - *last_ok < kLately;
    return trouble.answered || broke_off || took_all || lacks_model || alone || verdictOn(c).of_request;
}

bool Walk::isLastWord(const Trouble& trouble) const {
    const ErrorClass c = trouble.error.error_class;
    const bool lacks_model = c == ErrorClass::ModelNotFound && !request_.model.empty();
    const bool refused = verdictOn(c).of_request && !verdictOn(c).job_retries;
    return (trouble.answered && !trouble.unwanted) || lacks_model || refused;
}

bool Walk::takesAnotherKey(Leg& leg, const Trouble& trouble) const {
    using Kind = limits::Report::Kind;
    const Kind kind = verdictOn(trouble.error.error_class).report;
    const bool of_key = kind == Kind::RateLimited || kind == Kind::QuotaExhausted || kind == Kind::KeyRefused;
    if (!of_key || leg.records.size() >= leg.provider->spec.api_keys.size()) return false;
    leg.candidate.pending = static_cast<bool>(leg.provider->gate->look(demand_));
    return leg.candidate.pending;
}

bool Walk::retries(Leg& leg, const Trouble& trouble, SteadyTime now) const {
    const config::Retry& retry = leg.provider->spec.retry;
    const bool quick = trouble.error.error_class == ErrorClass::Transport && !trouble.heard;
    if (!quick || leg.records.size() > 1 || retry.attempts < 2 || !leg.provider->gate->mayRetry())
        return false;
    // Full jitter: who failed together does not come back together.
    // https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    const auto pause = std::chrono::duration_cast<milliseconds>(std::min(retry.base, retry.cap) * chance_());
    leg.candidate.pending = true;
    leg.candidate.not_before = leg.candidate.hold_until = now + pause;
    return true;
}

}  // namespace stepper::engine
