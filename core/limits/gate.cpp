#include "core/limits/gate.h"

#include <algorithm>

namespace stepper::limits {
namespace {

constexpr milliseconds kRateLimitBase{2'000}, kRateLimitCap{60'000};
// "Retry-After: 0" means soon, not in the same instant again.
constexpr milliseconds kShortestHint{250};
constexpr milliseconds kQuotaPause{600'000};
constexpr milliseconds kSetAsideBase{300'000}, kSetAsideCap{3'600'000};
// Limits on a request's size change with plans and models; then one request finds out.
constexpr milliseconds kSaidFor{3'600'000};
// What nobody means as the size of a request.
constexpr int64_t kLeastSaid = 16;
// What a provider that is down may ask for.
constexpr milliseconds kLongestStayAway{600'000};

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

milliseconds doubled(milliseconds base, int times, milliseconds cap) {
    milliseconds d = base;
    for (int i = 0; i < times && d < cap; ++i) d *= 2;
    return std::min(d, cap);
}

Breaker::Outcome outcomeOf(Report::Kind kind) {
    switch (kind) {
        case Report::Kind::Ok: return Breaker::Outcome::Ok;
        case Report::Kind::Failed: return Breaker::Outcome::Failed;
        case Report::Kind::Unreachable: return Breaker::Outcome::Unreachable;
        case Report::Kind::Neutral:
        case Report::Kind::TooLarge:
        case Report::Kind::RateLimited:
        case Report::Kind::QuotaExhausted:
        case Report::Kind::KeyRefused:
        case Report::Kind::ModelMissing: break;
    }
    return Breaker::Outcome::Neutral;
}

}  // namespace

std::string_view name(Denial d) {
    switch (d) {
        case Denial::RateLimited: return "rate_limited";
        case Denial::CircuitOpen: return "circuit_open";
        case Denial::Busy: return "busy";
        case Denial::TooLarge: return "too_large";
        case Denial::Disabled: break;
    }
    return "disabled";
}

Gate::Gate(const Clock& clock, GateOptions options, std::function<double()> chance)
    : clock_(clock),
      chance_(std::move(chance)),
      options_(std::move(options)),
      quotas_(options_.limits, clock),
      breaker_(options_.breaker, chance_) {}

Readiness Gate::readinessAt(SteadyTime now, const Cost& cost) {
    if (now < standing_.until) return {standing_.why, standing_.until};
    if (const auto at = breaker_.readyAt(now); at > now) return {Denial::CircuitOpen, at};
    // Its own "now" is a moment later than ours.
    if (const auto at = quotas_.readyAt(cost); at > clock_.now()) {
        const auto at_best = quotas_.readyAtBest(cost);
        return {Denial::RateLimited, at, at_best, at_best <= clock_.now(), quotas_.countsTokens()};
    }
    if (in_flight_ >= options_.concurrency)
        return {Denial::Busy, SteadyTime::max(), SteadyTime::max(), true, quotas_.countsTokens()};
    return {};
}

std::optional<int64_t> Gate::saidMost(SteadyTime now) {
    if (said_ && now >= said_->until) said_.reset();
    return said_ ? std::optional(said_->most_tokens) : std::nullopt;
}

Readiness Gate::readinessFor(SteadyTime now, const Demand& demand, const Cost& cost) {
    const int64_t most = std::min(quotas_.mostTokens(now), saidMost(now).value_or(kNoLimit));
    const uint64_t most_bytes = most == kNoLimit ? Readiness::kAnySize : estimate_.mostBytes(most);
    Readiness out =
        demand.bytes > most_bytes ? Readiness{Denial::TooLarge, SteadyTime::max()} : readinessAt(now, cost);
    out.most_bytes = most_bytes;
    return out;
}

Readiness Gate::look(const Demand& demand) {
    std::lock_guard lock(mutex_);
    return readinessFor(clock_.now(), demand, estimate_.of(demand));
}

Entry Gate::tryEnter(const Demand& demand) {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Cost cost = estimate_.of(demand);
    if (const auto readiness = readinessFor(now, demand, cost); !readiness) return {{}, readiness};
    ++in_flight_;
    budget_.called(now);
    usual_ = demand;
    return {Pass{demand, quotas_.reserve(cost), breaker_.enter(now), now}, {}};
}

void Gate::sent(Pass& pass) {
    std::lock_guard lock(mutex_);
    quotas_.sent(pass.permit);
}

void Gate::hear(Pass& pass, const std::vector<Allowance>& said) {
    std::lock_guard lock(mutex_);
    quotas_.arrived(pass.permit);
    quotas_.learn(said, pass.permit);
}

void Gate::coolFor(Denial why, milliseconds pause) {
    const SteadyTime until = clock_.now() + std::min(pause, kLongestPause);
    if (until <= standing_.until) return;
    standing_.until = until;
    standing_.why = why;
}

milliseconds Gate::pauseAfter429(const Report& report) {
    const int step = standing_.limits_in_row++;
    if (report.retry_after) return std::max(*report.retry_after, kShortestHint);
    const milliseconds most = doubled(kRateLimitBase, step, kRateLimitCap);
    return std::max(kShortestHint,
                    milliseconds(static_cast<int64_t>(chance_() * static_cast<double>(most.count()))));
}

// Without a word from the provider a day's quota comes back with the day, and anything else nobody knows
// when.
milliseconds Gate::pauseAfterQuota(const Report& report) {
    const int step = standing_.limits_in_row++;
    if (report.retry_after) return std::max(*report.retry_after, kShortestHint);
    if (const auto day = quotas_.dayResetIn()) return *day;
    return doubled(kQuotaPause, step, kLongestPause);
}

std::optional<SetAside> Gate::setAside(SetAside why, const Report& report) {
    const bool news = std::exchange(standing_.set_aside, why) != why;
    // Calls that were under way together are refused together.
    const bool paused = standing_.why == Denial::Disabled && clock_.now() < standing_.until;
    if (paused && !news) return std::nullopt;
    const milliseconds pause = doubled(kSetAsideBase, standing_.refusals_in_row++, kSetAsideCap);
    coolFor(Denial::Disabled, std::max(pause, report.retry_after.value_or(milliseconds{0})));
    return news ? std::optional(why) : std::nullopt;
}

void Gate::tellCircuit(SteadyTime now, Breaker::State before, News& news) {
    const Breaker::State after = breaker_.state(now);
    if (after == before || after == Breaker::State::HalfOpen) return;
    news.circuit = after;
    if (after != Breaker::State::Open) return;
    news.reopened = before == Breaker::State::HalfOpen;
    news.counts = breaker_.counts(now);
    news.open_for = std::chrono::duration_cast<milliseconds>(breaker_.readyAt(now) - now);
}

Gate::News Gate::leave(const Pass& pass, const Report& report) {
    using Kind = Report::Kind;
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    --in_flight_;
    const Quotas::Actual actual{report.kind == Kind::Ok, report.tokens_in, report.tokens_out};
    if (pass.permit.sent || report.kind == Kind::Ok) {
        quotas_.settle(pass.permit, actual);
    } else {
        quotas_.cancel(pass.permit);
    }
    News news;
    const Breaker::State circuit = breaker_.state(now);
    breaker_.leave(now, pass.breaker, outcomeOf(report.kind));
    tellCircuit(now, circuit, news);
    const Standing before = standing_;
    news.set_aside = learn(now, pass, report, actual);
    if (standing_ != before) ++standing_version_;
    return news;
}

std::optional<SetAside> Gate::learn(SteadyTime now, const Pass& pass, const Report& report,
                                    const Quotas::Actual& actual) {
    using Kind = Report::Kind;
    switch (report.kind) {
        case Kind::Ok:
            last_ok_ = now;
            failures_in_row_ = standing_.limits_in_row = standing_.refusals_in_row = 0;
            standing_.set_aside.reset();
            if (said_ && report.tokens_in > said_->most_tokens) said_.reset();
            latency_.add(now, std::chrono::duration_cast<milliseconds>(now - pass.entered));
            estimate_.learn(pass.demand, actual);
            break;
        case Kind::Failed:
        case Kind::Unreachable:
            ++failures_in_row_;
            if (report.retry_after)
                coolFor(Denial::CircuitOpen, std::min(*report.retry_after, kLongestStayAway));
            break;
        case Kind::RateLimited:
            quotas_.refused();
            coolFor(Denial::RateLimited, pauseAfter429(report));
            break;
        case Kind::QuotaExhausted:
            coolFor(Denial::RateLimited, pauseAfterQuota(report));
            standing_.quota_words = report.words;
            standing_.quota_until = standing_.until;
            break;
        case Kind::TooLarge:
            if (report.most_tokens.value_or(0) >= kLeastSaid) said_ = {*report.most_tokens, now + kSaidFor};
            break;
        case Kind::KeyRefused: return setAside(SetAside::KeyRefused, report);
        case Kind::ModelMissing: return setAside(SetAside::ModelMissing, report);
        case Kind::Neutral: break;
    }
    return std::nullopt;
}

bool Gate::mayRetry() {
    std::lock_guard lock(mutex_);
    return budget_.tryTake(clock_.now());
}

GateState Gate::state() {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Readiness ready = readinessAt(now, estimate_.of(usual_));
    GateState out;
    out.denied = ready.denied;
    if (!ready && ready.at != SteadyTime::max())
        out.ready_in = std::chrono::ceil<milliseconds>(ready.at - now);
    out.in_flight = in_flight_;
    out.failures_in_row = failures_in_row_;
    out.only_fails = failures_in_row_ >= options_.breaker.consecutive;
    out.breaker = breaker_.state(now);
    out.set_aside = standing_.set_aside;
    out.most_tokens = saidMost(now);
    out.asked_for_pause = now < standing_.until && standing_.why == ready.denied;
    if (now < standing_.quota_until) out.quota_words = standing_.quota_words;
    out.p50 = latency_.quantile(now, 0.5);
    out.p95 = latency_.quantile(now, 0.95);
    out.quotas = quotas_.state();
    return out;
}

std::optional<milliseconds> Gate::p50() {
    std::lock_guard lock(mutex_);
    return latency_.quantile(clock_.now(), 0.5);
}

std::optional<SteadyTime> Gate::lastOk() {
    std::lock_guard lock(mutex_);
    return last_ok_;
}

Gate::Room Gate::room(int most) {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Cost cost = estimate_.of(usual_);
    const Readiness ready = readinessAt(now, cost);
    if (!ready) return {0, ready.at, ready.denied == Denial::Disabled};
    if (breaker_.state(now) == Breaker::State::HalfOpen) return {1, SteadyTime::max()};
    const int slots = std::min(most, options_.concurrency - in_flight_);
    const auto allowed = quotas_.sendsWithin(milliseconds{0}, cost);
    return {static_cast<int>(std::min<int64_t>(slots, allowed)), SteadyTime::max()};
}

int64_t Gate::sendsWithin(milliseconds ahead) {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Readiness ready = readinessAt(now, estimate_.of(usual_));
    const bool waits = !ready && ready.denied != Denial::Busy && ready.denied != Denial::RateLimited;
    const milliseconds lost =
        waits || now < standing_.until ? std::chrono::ceil<milliseconds>(ready.at - now) : milliseconds{0};
    const auto typical = latency_.quantile(now, 0.5);
    const bool only_fails = failures_in_row_ > 0 && !typical;
    if (lost > ahead || only_fails) return 0;
    int64_t sends = quotas_.sendsWithin(ahead, estimate_.of(usual_));
    if (typical && typical->count() > 0)
        sends = std::min(sends, options_.concurrency * (1 + (ahead - lost) / *typical));
    return sends;
}

void Gate::reconfigure(GateOptions options) {
    std::lock_guard lock(mutex_);
    if (options.target_digest != options_.target_digest) {
        standing_.refusals_in_row = 0;
        standing_.set_aside.reset();
        said_.reset();
        const bool of_old_key = standing_.why == Denial::Disabled || standing_.quota_until == standing_.until;
        if (of_old_key) standing_.until = {};
        standing_.quota_until = {};
        ++standing_version_;
    }
    options_ = std::move(options);
    quotas_.reconfigure(options_.limits);
    breaker_.reconfigure(options_.breaker);
}

bool Gate::covers(const Pass& pass) {
    std::lock_guard lock(mutex_);
    return quotas_.covers(pass.permit);
}

Quotas::Saved Gate::save(bool final) {
    std::lock_guard lock(mutex_);
    return quotas_.save(final);
}

void Gate::saved(int64_t covers) {
    std::lock_guard lock(mutex_);
    quotas_.confirm(covers);
}

bool Gate::restore(std::string_view text, std::optional<milliseconds> age) {
    std::lock_guard lock(mutex_);
    return quotas_.restore(text, age);
}

}  // namespace stepper::limits
