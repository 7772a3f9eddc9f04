#include "core/engine/chain.h"

#include <algorithm>

#include "core/base/random.h"
#include "core/engine/attempt.h"
#include "core/engine/classify.h"
#include "core/engine/judge.h"
#include "core/engine/plan.h"
#include "core/limits/size_refusal.h"
#include "core/telemetry/log.h"

namespace stepper::engine {
namespace {

// A job that waits for so long and fails where somebody was answered so lately fails by itself.
constexpr milliseconds kAloneAfter{120'000}, kLately{60'000};
constexpr int kForbidden = 403;

bool hasLastWord(const std::optional<Tried>& tried, const std::string& provider) {
    return tried && std::ranges::find(tried->last_words, provider) != tried->last_words.end();
}

}  // namespace

Chain::Chain(Engine& engine, const Snapshot& snapshot, const GenerateRequest& request, SteadyTime deadline,
             CancelToken& cancel, const RunOptions& options)
    : engine_(engine),
      snapshot_(snapshot),
      request_(request),
      started_(engine.deps_.clock.now()),
      deadline_(deadline),
      cancel_(cancel),
      options_(options),
      rendering_(request, snapshot.config.security.redact) {
    for (const auto* entry : plan(snapshot, request)) {
        legs_.push_back({entry, {}});
        candidates_.push_back(
            {entry->gate.get(), entry->enabled(), {}, started_ - options.waited + entry->spec.wait_up_to});
        if (!entry->enabled())
            skip(legs_.size() - 1, name(limits::Denial::Disabled));
        else if (hasLastWord(options.tried, entry->spec.name))
            skip(legs_.size() - 1, kAnsweredBadly);
    }
    if (!legs_.empty()) demand_ = {rendering_.bytes(legs_.front().provider->spec), request.max_output_tokens};
}

Outcome Chain::run() {
    if (legs_.empty()) stop_ = modelProblem(snapshot_, request_);
    if (stop_) return failed();
    // What cannot be rendered is nobody's failure but the request's.
    if (!legs_.empty())
        if (const auto& messages = rendering_.of(legs_.front().provider->spec); !messages) {
            stop_ = messages.error();
            return failed();
        }
    while (!outOfTime() && mayCall()) {
        std::optional<HeldSlot> slot;
        const auto leg = next(slot);
        if (!leg || tryLeg(*leg, slot)) break;
    }
    if (out_.provider.empty()) {
        skipPending(legs_.size());
        return failed();
    }
    return told();
}

std::optional<Outcome> Chain::tooLarge() {
    bool any = false;
    for (size_t i = 0; i < candidates_.size(); ++i) {
        if (!candidates_[i].pending) continue;
        const auto ready = candidates_[i].gate->look(demand_);
        if (ready.denied != limits::Denial::TooLarge) return std::nullopt;
        skipTooLarge(i, ready.most_bytes);
        any = true;
    }
    return any ? std::optional(failed()) : std::nullopt;
}

Outcome Chain::failed() {
    out_.failure = conclude({legs_, demand_, stop_, soonest_, now(), options_.wait, outOfTime(),
                             deadline_ - started_ <= kMinCall, options_.tried.has_value(), !mayCall()});
    return told();
}

Outcome Chain::told() {
    for (auto& leg : legs_)
        std::move(leg.records.begin(), leg.records.end(), std::back_inserter(out_.attempts));
    out_.total = since(started_);
    return std::move(out_);
}

std::optional<size_t> Chain::next(std::optional<HeldSlot>& slot) {
    if (!options_.wait) sleepUntilRetry();
    auto& dispatcher = engine_.dispatcher_;
    auto turn = options_.wait ? dispatcher.enter(candidates_, demand_, request_.tenant_id,
                                                 deadline_ - kMinCall, cancel_)
                              : dispatcher.tryEnter(candidates_, demand_);
    // Before anything that may find no memory: what was entered has to be left.
    if (const auto leg = turn.choice.index)
        slot.emplace(*legs_[*leg].provider, std::move(turn.choice.pass), dispatcher);
    if (turn.cancelled != CancelReason::None)
        stop_ = Error{ErrorClass::Cancelled, std::string(name(turn.cancelled))};
    soonest_ = turn.choice.soonest;
    if (!turn.choice.index) return std::nullopt;
    if (!std::exchange(entered_, true) && options_.entered) options_.entered();
    return turn.choice.index;
}

// A quick retry is waited for in any case: it is a matter of milliseconds.
void Chain::sleepUntilRetry() {
    for (const Candidate& c : candidates_)
        if (c.pending && c.not_before > now())
            cancel_.sleepUntil(std::min(c.not_before, deadline_ - kMinCall));
}

bool Chain::tryLeg(size_t index, std::optional<HeldSlot>& slot) {
    Leg& leg = legs_[index];
    const ProviderEntry& provider = *leg.provider;
    candidates_[index].pending = false;
    const int number = static_cast<int>(leg.records.size()) + 1;
    AttemptRecord& record = leg.records.emplace_back();
    record.provider = provider.spec.name;
    record.number = number;
    tellProgress();
    log::debug("asking",
               {{"provider", record.provider}, {"attemptNumber", number}, {"requestId", options_.id}});

    Metrics& metrics = engine_.deps_.metrics;
    metrics.attempted(provider.spec.name, request_.labels());
    const SteadyTime began = now();
    plugin::Answer answer;
    auto trouble = call(provider, *slot, answer);
    slot.reset();
    const milliseconds took = since(began);
    if (engine_.journal_)
        engine_.journal_->keepStanding(provider.spec.name, provider.gate, deadline_, cancel_);
    metrics.attempt(provider.spec.name, took);

    if (!trouble) {
        auto processed = judge(answer, request_.mode, request_.schema.get(), [this] { return unwanted(); });
        if (processed) {
            record.duration = took;
            provider.chronicle->answered();
            metrics.succeeded(provider.spec.name, request_.labels(), took);
            succeed(index, std::move(answer), std::move(processed).value(), took);
            return true;
        }
        trouble = Trouble{std::move(processed).error(), true};
        trouble->answered = true;
        trouble->unwanted = trouble->error.error_class == ErrorClass::Cancelled ||
                            trouble->error.error_class == ErrorClass::Timeout;
    }
    const Verdict& verdict = verdictOn(trouble->error.error_class);
    record.error = trouble->error;
    record.error_code = verdict.wire_code;
    record.of_request = !trouble->unasked && tellsOfRequest(provider, *trouble);
    record.last_word = !trouble->unasked && isLastWord(*trouble);
    told_of_request_ += record.of_request;
    record.retry_after = trouble->error.retry_after;
    record.duration = took;
    tell(provider, *trouble, record);
    if (trouble->unasked) {
        record.number = 0;
        record.skipped = kNoResources;
        return false;
    }
    // A request that is too large for it is no failure of a provider, nor is one that nobody waits for.
    if (verdict.report != limits::Report::Kind::TooLarge && !trouble->unwanted)
        metrics.failed(provider.spec.name, verdict.wire_code, request_.labels());
    if (verdict.next == Next::Stop) {
        stop_ = trouble->error;
        return true;
    }
    if (!takesAnotherKey(index, *trouble) && retries(index, *trouble)) metrics.quickRetry(provider.spec.name);
    return false;
}

std::optional<Chain::Trouble> Chain::call(const ProviderEntry& provider, HeldSlot& slot,
                                          plugin::Answer& answer) {
    using Kind = limits::Report::Kind;
    const auto& messages = rendering_.of(provider.spec);
    if (!messages) return Trouble{messages.error()};
    if (engine_.journal_)
        engine_.journal_->cover(provider.spec.name, provider.gate, slot.pass(), deadline_ - kMinCall,
                                cancel_);
    const SteadyTime until = std::min(deadline_, now() + provider.spec.timeout);
    const bool stream =
        provider.spec.stream && (provider.plugin->image()->capabilities() & STEPPER_CAP_STREAM);
    const std::string chat = chatRequestJson(request_, provider.spec, *messages, stream);
    const config::Secret& key = provider.keyFor(slot.pass().target);
    if (!provider.has(slot.pass().target)) slot.disown();
    auto got = attempt(provider, key, chat, until, cancel_, engine_.deps_.transport, slot);
    if (slot.pass().permit.sent) count(provider.spec, got);
    // A poor answer is still an answer of a provider that works.
    limits::Report report = got.concluded ? limits::Report{Kind::Ok} : reportOn(*got.error, until);
    // What another model lacks says nothing of those that the provider is asked for otherwise.
    if (modelFor(request_, provider.spec) != provider.spec.model &&
        (report.kind == Kind::ModelMissing || report.kind == Kind::TooLarge ||
         (report.kind == Kind::KeyRefused && got.error->http_status == kForbidden)))
        report = {Kind::Neutral};
    report.tokens_in = got.answer.usage.prompt;
    report.tokens_out = got.answer.usage.completion;
    slot.learned(report);
    if (got.error) return Trouble{std::move(*got.error), got.heard, got.unasked, got.concluded};
    answer = std::move(got.answer);
    return std::nullopt;
}

// A client that left, or a machine that lacks the means, is nothing to tell of a provider.
void Chain::tell(const ProviderEntry& provider, const Trouble& trouble, const AttemptRecord& record) const {
    if (trouble.unasked || trouble.unwanted || trouble.error.error_class == ErrorClass::Cancelled)
        log::debug("attempt given up", {{"provider", provider.spec.name},
                                        {"reason", trouble.error.message},
                                        {"requestId", options_.id}});
    else
        provider.chronicle->failed(record.error_code, trouble.error, record.of_request, options_.id);
}

// Tokens are billed whatever became of them.
void Chain::count(const config::Provider& provider, const Attempted& got) {
    const plugin::Usage& used = got.answer.usage;
    if (engine_.usage_) engine_.usage_->record(tenantOf(request_), provider, !got.error, used);
    if (used.any())
        engine_.deps_.metrics.tokens(provider.name, used.prompt.value_or(0), used.completion.value_or(0));
}

limits::Report Chain::reportOn(const Error& error, SteadyTime until) const {
    using Kind = limits::Report::Kind;
    limits::Report out{verdictOn(error.error_class).report, error.retry_after};
    if (out.kind == Kind::TooLarge) out.most_tokens = limits::mostTokensIn(error.message);
    if (out.kind == Kind::QuotaExhausted) out.words = error.message;
    // Our caller's time was up, not the provider's.
    if (error.error_class == ErrorClass::Timeout && until == deadline_ && outOfTime())
        out.kind = Kind::Neutral;
    return out;
}

// An answer that broke off was being made, and a call that took all the time of its run would do so again:
// asking again is paid for again. So does a job that goes on failing where others are answered; of
// a provider that says it is overloaded nobody knows.
bool Chain::tellsOfRequest(const ProviderEntry& provider, const Trouble& trouble) const {
    const ErrorClass c = trouble.error.error_class;
    const bool unreachable = c == ErrorClass::Transport || c == ErrorClass::Timeout;
    const bool was_answer = trouble.error.http_status < 300;  // 0: nobody noted it
    const bool broke_off = unreachable && trouble.heard && was_answer;
    const bool took_all = c == ErrorClass::Timeout && outOfTime();
    const bool lacks_model = c == ErrorClass::ModelNotFound && !request_.model.empty();
    const bool fails = unreachable || c == ErrorClass::Upstream || c == ErrorClass::BadResponse;
    const auto last_ok = provider.gate->lastOk();
    const SteadyTime failed_before = options_.tried ? options_.tried->first_failed : SteadyTime::max();
    const bool alone = fails && options_.waited >= kAloneAfter && last_ok && *last_ok > failed_before &&
                       now() - *last_ok < kLately;
    return trouble.answered || broke_off || took_all || lacks_model || alone || verdictOn(c).of_request;
}

bool Chain::isLastWord(const Trouble& trouble) const {
    const ErrorClass c = trouble.error.error_class;
    const bool lacks_model = c == ErrorClass::ModelNotFound && !request_.model.empty();
    const bool refused = verdictOn(c).of_request && !verdictOn(c).job_retries;
    return (trouble.answered && !trouble.unwanted) || lacks_model || refused;
}

bool Chain::takesAnotherKey(size_t index, const Trouble& trouble) {
    using Kind = limits::Report::Kind;
    const Leg& leg = legs_[index];
    const Kind kind = verdictOn(trouble.error.error_class).report;
    const bool of_key = kind == Kind::RateLimited || kind == Kind::QuotaExhausted || kind == Kind::KeyRefused;
    if (!of_key || leg.records.size() >= leg.provider->spec.api_keys.size()) return false;
    candidates_[index].pending = static_cast<bool>(leg.provider->gate->look(demand_));
    return candidates_[index].pending;
}

bool Chain::retries(size_t index, const Trouble& trouble) {
    const Leg& leg = legs_[index];
    const config::Retry& retry = leg.provider->spec.retry;
    const bool quick = trouble.error.error_class == ErrorClass::Transport && !trouble.heard;
    if (!quick || leg.records.size() > 1 || retry.attempts < 2 || !leg.provider->gate->mayRetry())
        return false;
    const auto pause = fullJitter(std::min(retry.base, retry.cap));
    candidates_[index].pending = true;
    candidates_[index].not_before = candidates_[index].hold_until = now() + pause;
    return true;
}

void Chain::succeed(size_t leg, plugin::Answer answer, output::Processed processed, milliseconds took) {
    skipPending(leg);
    const ProviderEntry& provider = *legs_[leg].provider;
    if (processed.repaired) engine_.deps_.metrics.repaired(provider.spec.name);
    out_.result = std::move(processed.value);
    out_.provider = provider.spec.name;
    out_.validated = true;
    out_.repaired = processed.repaired;
    out_.warnings = std::move(answer.warnings);
    std::move(processed.warnings.begin(), processed.warnings.end(), std::back_inserter(out_.warnings));
    out_.provider_time = took;
    out_.model = answer.model.empty() ? modelFor(request_, provider.spec) : std::move(answer.model);
    out_.finish = std::move(answer.finish);
    out_.truncated = isCut(out_.finish);
    out_.usage = answer.usage;
    if (answer.usage.prompt || answer.usage.completion)
        out_.cost =
            costOf(provider.spec, answer.usage.prompt.value_or(0), answer.usage.completion.value_or(0));
}

void Chain::skip(size_t leg, std::string_view why, milliseconds ready_in) {
    candidates_[leg].pending = false;
    AttemptRecord& record = legs_[leg].records.emplace_back();
    record.provider = legs_[leg].provider->spec.name;
    record.number = 0;
    record.skipped = why;
    log::debug("passed over", {{"provider", record.provider},
                               {"reason", why},
                               {"readyInMs", ready_in.count()},
                               {"requestId", options_.id}});
    if (ready_in.count() > 0) record.retry_after = ready_in;
}

void Chain::skipTooLarge(size_t leg, uint64_t most_bytes) {
    skip(leg, name(limits::Denial::TooLarge));
    AttemptRecord& record = legs_[leg].records.back();
    record.error =
        Error{ErrorClass::ContextTooLong,
              "its " + std::to_string(demand_.bytes) +
                  " bytes of text are more tokens than a request to this provider may have; about " +
                  std::to_string(most_bytes) + " bytes fit"};
    record.error_code = verdictOn(ErrorClass::ContextTooLong).wire_code;
}

void Chain::skipPending(size_t end) {
    const SteadyTime at = now();
    bool is_held_back = false;
    for (size_t i = 0; i < end; ++i) {
        const Candidate& candidate = candidates_[i];
        // One that waited for its retry has its record.
        if (!candidate.pending || !legs_[i].records.empty()) continue;
        const auto ready = candidate.gate->look(demand_);
        const bool waited_for = at < candidate.hold_until;
        if (ready.denied == limits::Denial::TooLarge) {
            skipTooLarge(i, ready.most_bytes);
        } else if (ready.denied) {
            const bool known = ready.at != SteadyTime::max();
            skip(i, name(*ready.denied),
                 known ? std::chrono::ceil<milliseconds>(ready.at - at) : milliseconds{0});
        } else {
            // It became free in this moment, when it is none of the other two.
            skip(i, outOfTime()    ? "deadline"
                    : !mayCall()   ? kNoCallsLeft
                    : is_held_back ? "not_yet"
                                   : name(limits::Denial::Busy));
        }
        is_held_back = is_held_back || waited_for;
    }
}

// From 10, so that a running request differs from a waiting one, towards 90: the end is not ours to announce.
void Chain::tellProgress() const {
    if (!options_.progress) return;
    const auto begun =
        std::count_if(candidates_.begin(), candidates_.end(), [](const Candidate& c) { return !c.pending; });
    *options_.progress = 10 + 80 * (static_cast<int>(begun) - 1) / static_cast<int>(legs_.size());
}

std::optional<Error> Chain::unwanted() const {
    const auto reason = cancel_.check();
    if (reason != CancelReason::None && reason != CancelReason::Draining)
        return Error{ErrorClass::Cancelled, std::string(name(reason))};
    if (now() >= deadline_)
        return Error{ErrorClass::Timeout, "the request's deadline passed while the answer was checked"};
    return std::nullopt;
}

SteadyTime Chain::now() const { return engine_.deps_.clock.now(); }

milliseconds Chain::since(SteadyTime start) const {
    return std::chrono::duration_cast<milliseconds>(now() - start);
}

bool Chain::outOfTime() const { return now() + kMinCall >= deadline_; }

}  // namespace stepper::engine
