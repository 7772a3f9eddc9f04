#include "core/limits/gate.h"

#include <algorithm>

#include "core/limits/heirs.h"

namespace stepper::limits {
namespace {

// Limits on a request's size change with plans and models; then one request finds out.
constexpr milliseconds kSaidFor{3'600'000};
// What nobody means as the size of a request.
constexpr int64_t kLeastSaid = 16;
// What a provider that is down may ask for.
constexpr milliseconds kLongestStayAway{600'000};

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

int64_t sum(int64_t a, int64_t b) { return a > kNoLimit - b ? kNoLimit : a + b; }

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

// One window of several keys.
void addTo(QuotaState& all, const QuotaState& one) {
    all.limit += one.limit;
    all.used += one.used;
    all.configured += one.configured;
    all.more_in = std::min(all.more_in, one.more_in);
    all.reset_in = std::max(all.reset_in, one.reset_in);
}

// What two keys that cannot be used say of their provider. One that is set aside says least: the other is
// worth waiting for.
Readiness together(const Readiness& a, const Readiness& b) {
    const bool a_says = a.denied != Denial::Disabled && (b.denied == Denial::Disabled || a.at <= b.at);
    const bool both_aside = a.denied == Denial::Disabled && b.denied == Denial::Disabled;
    Readiness out = a_says || both_aside ? a : b;
    out.at = std::min(a.at, b.at);
    out.at_best = std::min(a.at_best, b.at_best);
    out.leave_helps = a.leave_helps || b.leave_helps;
    out.tokens_count = a.tokens_count || b.tokens_count;
    return out;
}

// Not what a call did before its key, model or URL were replaced.
bool isOfTarget(Report::Kind kind) {
    using Kind = Report::Kind;
    return kind == Kind::RateLimited || kind == Kind::QuotaExhausted || kind == Kind::KeyRefused ||
           kind == Kind::ModelMissing || kind == Kind::TooLarge;
}

}  // namespace

size_t targetId(std::string_view target) { return std::hash<std::string_view>{}(target) | 1; }

Gate::Gate(const Clock& clock, GateOptions options, std::function<double()> chance)
    : clock_(clock),
      chance_(std::move(chance)),
      options_(std::move(options)),
      breaker_(options_.breaker, chance_) {
    for (const auto& target : options_.targets)
        keys_.push_back(std::make_shared<GateKey>(target, options_.limits, clock_));
}

bool Gate::has(const std::shared_ptr<GateKey>& key) const {
    return std::ranges::find(keys_, key) != keys_.end();
}

bool Gate::isLeftAlone(SteadyTime now) const {
    return std::ranges::all_of(keys_, [now](const auto& key) { return now < key->standing.until(); });
}

Readiness Gate::readinessOf(GateKey& key, SteadyTime now, const Cost& cost) {
    if (now < key.standing.until()) return {key.standing.why(), key.standing.until()};
    // Its own "now" is a moment later than ours.
    if (const auto at = key.quotas.readyAt(cost); at > clock_.now()) {
        const auto at_best = key.quotas.readyAtBest(cost);
        return {Denial::RateLimited, at, at_best, at_best <= clock_.now(), key.quotas.countsTokens()};
    }
    return {};
}

// The one that has most left; of several, the one that was not used for longest.
Gate::Look Gate::bestKey(SteadyTime now, const Cost& cost) {
    Look best;
    int64_t most = 0;
    std::optional<Readiness> denied;
    for (const auto& key : keys_) {
        const Readiness ready = readinessOf(*key, now, cost);
        if (!ready) {
            denied = denied ? together(*denied, ready) : ready;
            continue;
        }
        const int64_t left = keys_.size() > 1 ? key->quotas.sendsWithin(milliseconds{0}, cost) : 0;
        if (best.key && (left < most || (left == most && key->last_used >= best.key->last_used))) continue;
        best.key = key;
        most = left;
    }
    if (!best.key) best.readiness = *denied;
    return best;
}

Gate::Look Gate::lookAt(SteadyTime now, const Cost& cost) {
    Look look = bestKey(now, cost);
    if (!look.key && isLeftAlone(now)) return look;
    if (const auto at = breaker_.readyAt(now); at > now) return {{}, {Denial::CircuitOpen, at}};
    if (look.key && in_flight_ >= options_.concurrency)
        return {{},
                {Denial::Busy, SteadyTime::max(), SteadyTime::max(), true, look.key->quotas.countsTokens()}};
    return look;
}

std::optional<int64_t> Gate::saidMost(SteadyTime now) {
    if (said_ && now >= said_->until) said_.reset();
    return said_ ? std::optional(said_->most_tokens) : std::nullopt;
}

Gate::Look Gate::lookFor(SteadyTime now, const Demand& demand, const Cost& cost) {
    int64_t most = 0;
    for (const auto& key : keys_) most = std::max(most, key->quotas.mostTokens(now));
    most = std::min(most, saidMost(now).value_or(kNoLimit));
    const uint64_t most_bytes = most == kNoLimit ? Readiness::kAnySize : estimate_.mostBytes(most);
    Look out =
        demand.bytes > most_bytes ? Look{{}, {Denial::TooLarge, SteadyTime::max()}} : lookAt(now, cost);
    out.readiness.most_bytes = most_bytes;
    return out;
}

Readiness Gate::look(const Demand& demand) {
    std::lock_guard lock(mutex_);
    return lookFor(clock_.now(), demand, estimate_.of(demand)).readiness;
}

Entry Gate::tryEnter(const Demand& demand) {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Cost cost = estimate_.of(demand);
    Look look = lookFor(now, demand, cost);
    if (!look.key) return {{}, look.readiness};
    ++in_flight_;
    budget_.called(now);
    usual_ = demand;
    look.key->last_used = now;
    const size_t target = targetId(look.key->target);
    const Permit permit = look.key->quotas.reserve(cost);
    return {Pass{std::move(look.key), target, demand, permit, breaker_.enter(now), now}, {}};
}

void Gate::sent(Pass& pass) {
    std::lock_guard lock(mutex_);
    pass.key->quotas.sent(pass.permit);
}

void Gate::hear(Pass& pass, const std::vector<Allowance>& said) {
    std::lock_guard lock(mutex_);
    pass.key->quotas.arrived(pass.permit);
    pass.key->quotas.learn(said, pass.permit);
}

void Gate::setAside(SteadyTime now, GateKey& key, SetAside why, const Report& report, News& news) {
    if (!key.standing.putAside(now, why, report.retry_after)) return;
    const auto is_it = [&](const auto& one) { return one.get() == &key; };
    const auto place = static_cast<size_t>(std::ranges::find_if(keys_, is_it) - keys_.begin());
    news.set_aside = why;
    news.key = allSetAside() ? 0 : place + 1;
}

std::optional<SetAside> Gate::allSetAside() const {
    for (const auto& key : keys_)
        if (!key->standing.setAside()) return std::nullopt;
    return keys_.front()->standing.setAside();
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
        pass.key->quotas.settle(pass.permit, actual);
    } else {
        pass.key->quotas.cancel(pass.permit);
    }
    News news;
    const Breaker::State circuit = breaker_.state(now);
    breaker_.leave(now, pass.breaker, outcomeOf(report.kind));
    tellCircuit(now, circuit, news);
    learn(now, pass, report, actual, news);
    for (const auto& key : keys_)
        if (key->standing.takeChange()) ++standing_version_;
    return news;
}

void Gate::learn(SteadyTime now, const Pass& pass, const Report& report, const Quotas::Actual& actual,
                 News& news) {
    using Kind = Report::Kind;
    GateKey& used = *pass.key;
    if (isOfTarget(report.kind) && !(has(pass.key) && pass.target == targetId(used.target))) return;
    switch (report.kind) {
        case Kind::Ok:
            last_ok_ = now;
            failures_in_row_ = 0;
            used.standing.well();
            if (said_ && report.tokens_in > said_->most_tokens) said_.reset();
            latency_.add(now, std::chrono::duration_cast<milliseconds>(now - pass.entered));
            estimate_.learn(pass.demand, actual);
            break;
        case Kind::Failed:
        case Kind::Unreachable:
            ++failures_in_row_;
            if (report.retry_after)
                for (const auto& key : keys_)
                    key->standing.coolFor(now, Denial::CircuitOpen,
                                          std::min(*report.retry_after, kLongestStayAway));
            break;
        case Kind::RateLimited:
            used.quotas.refused();
            used.standing.limited(now, report.retry_after, chance_());
            break;
        case Kind::QuotaExhausted:
            used.standing.spent(now, report.retry_after, used.quotas.dayResetIn(), report.words);
            break;
        case Kind::TooLarge:
            if (report.most_tokens.value_or(0) >= kLeastSaid) said_ = {*report.most_tokens, now + kSaidFor};
            break;
        case Kind::KeyRefused: setAside(now, used, SetAside::KeyRefused, report, news); break;
        case Kind::ModelMissing:
            for (const auto& key : keys_) setAside(now, *key, SetAside::ModelMissing, report, news);
            break;
        case Kind::Neutral: break;
    }
}

Gate::News Gate::keyRefused(size_t target) {
    std::lock_guard lock(mutex_);
    News news;
    for (const auto& key : keys_)
        if (targetId(key->target) == target)
            setAside(clock_.now(), *key, SetAside::KeyRefused, Report{Report::Kind::KeyRefused}, news);
    for (const auto& key : keys_)
        if (key->standing.takeChange()) ++standing_version_;
    return news;
}

bool Gate::mayRetry() {
    std::lock_guard lock(mutex_);
    return budget_.tryTake(clock_.now());
}

std::vector<QuotaState> Gate::quotasTogether() {
    std::vector<QuotaState> out;
    const bool none_left = allSetAside().has_value();
    for (const auto& key : keys_) {
        if (key->standing.setAside() && !none_left) continue;
        auto of_key = key->quotas.state();
        if (out.empty())
            out = std::move(of_key);
        else  // all have the same windows
            for (size_t i = 0; i < out.size(); ++i) addTo(out[i], of_key[i]);
    }
    return out;
}

GateState Gate::state() {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Cost cost = estimate_.of(usual_);
    const auto readyIn = [now](const Readiness& ready) {
        const bool known = !ready && ready.at != SteadyTime::max();
        return known ? std::chrono::ceil<milliseconds>(ready.at - now) : milliseconds{0};
    };
    const Readiness ready = lookAt(now, cost).readiness;
    GateState out;
    out.denied = ready.denied;
    out.ready_in = readyIn(ready);
    out.in_flight = in_flight_;
    out.failures_in_row = failures_in_row_;
    out.only_fails = failures_in_row_ >= options_.breaker.consecutive;
    out.breaker = breaker_.state(now);
    out.set_aside = allSetAside();
    out.most_tokens = saidMost(now);
    out.p50 = latency_.quantile(now, 0.5);
    out.p95 = latency_.quantile(now, 0.95);
    out.quotas = quotasTogether();
    for (const auto& key : keys_) {
        const Standing& standing = key->standing;
        out.asked_for_pause =
            out.asked_for_pause || (now < standing.until() && standing.why() == ready.denied);
        if (out.quota_words.empty() && ready.denied) out.quota_words = standing.quotaWords(now);
        if (keys_.size() == 1) break;
        const Readiness of_key = readinessOf(*key, now, cost);
        out.keys.push_back({of_key.denied, readyIn(of_key), standing.setAside(), key->quotas.state()});
    }
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

int64_t Gate::sendsOf(SteadyTime now, milliseconds ahead, const Cost& cost) {
    int64_t sends = 0;
    for (const auto& key : keys_)
        if (key->standing.until() <= now + ahead) sends = sum(sends, key->quotas.sendsWithin(ahead, cost));
    return sends;
}

Gate::Room Gate::room(int most) {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Cost cost = estimate_.of(usual_);
    const Readiness ready = lookAt(now, cost).readiness;
    if (!ready) return {0, ready.at, ready.denied == Denial::Disabled};
    if (breaker_.state(now) == Breaker::State::HalfOpen) return {1, SteadyTime::max()};
    const int slots = std::min(most, options_.concurrency - in_flight_);
    const int64_t allowed = sendsOf(now, milliseconds{0}, cost);
    return {static_cast<int>(std::min<int64_t>(slots, allowed)), SteadyTime::max()};
}

int64_t Gate::sendsWithin(milliseconds ahead) {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.now();
    const Cost cost = estimate_.of(usual_);
    const Readiness ready = lookAt(now, cost).readiness;
    const bool waits = !ready && ready.denied != Denial::Busy && ready.denied != Denial::RateLimited;
    const milliseconds lost =
        waits || isLeftAlone(now) ? std::chrono::ceil<milliseconds>(ready.at - now) : milliseconds{0};
    const auto typical = latency_.quantile(now, 0.5);
    const bool only_fails = failures_in_row_ > 0 && !typical;
    if (lost > ahead || only_fails) return 0;
    int64_t sends = sendsOf(now, ahead, cost);
    if (typical && typical->count() > 0)
        sends = std::min(sends, options_.concurrency * (1 + (ahead - lost) / *typical));
    return sends;
}

void Gate::reconfigure(GateOptions options) {
    std::lock_guard lock(mutex_);
    const auto heirs = heirsOf(options.targets, options_.targets);
    // Memory may be refused: until all of it is there, what was in force stays.
    std::vector<std::shared_ptr<GateKey>> next;
    for (size_t i = 0; i < heirs.size(); ++i)
        next.push_back(heirs[i] ? keys_[*heirs[i]]
                                : std::make_shared<GateKey>(options.targets[i], options.limits, clock_));
    for (const auto& key : next) key->quotas.reconfigure(options.limits);
    keys_ = std::move(next);
    options_ = std::move(options);
    breaker_.reconfigure(options_.breaker);
    for (size_t i = 0; i < keys_.size(); ++i) {
        if (keys_[i]->target == options_.targets[i]) continue;
        keys_[i]->target = options_.targets[i];
        keys_[i]->standing.retarget();
        said_.reset();
        ++standing_version_;
    }
}

}  // namespace stepper::limits
