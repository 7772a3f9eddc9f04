#include "core/limits/quotas.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/units.h"

namespace stepper::limits {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds kDay = 24h;
constexpr milliseconds kLearnedFor = 10min;
constexpr milliseconds kLongestGuess = 1h;  // limits without a length are not taken for longer windows'

// What others say is untrusted.
bool isSane(int64_t n) { return n >= 0 && n <= 1'000'000'000'000; }

int64_t saneOr(std::optional<int64_t> reported, int64_t estimate) {
    return reported && isSane(*reported) ? *reported : estimate;
}

struct Rate {
    int64_t limit;
    milliseconds per;
};

// The shortest window that holds a whole number of sends.
Rate windowOf(double per_second) {
    if (per_second < 1) return {1, milliseconds(std::llround(std::ceil(1000 / per_second - 1e-6)))};
    for (int seconds = 1; seconds <= 10; ++seconds) {
        const double sends = per_second * seconds;
        if (std::abs(sends - std::round(sends)) < 1e-6) return {std::llround(sends), seconds * 1000ms};
    }
    return {static_cast<int64_t>(per_second * 10), 10s};
}

milliseconds slidingMargin(const config::Limits& limits, milliseconds length) {
    return limits.skew.value_or(std::clamp(length / 100, 50ms, 500ms));
}

milliseconds until(SteadyTime then, SteadyTime now) {
    return std::chrono::ceil<milliseconds>(std::max(then, now) - now);
}

}  // namespace

std::vector<Quotas::Sliding> Quotas::slidingOf(const config::Limits& limits) {
    std::vector<Sliding> all;
    const auto add = [&](std::string name, Unit unit, Rate rate) {
        all.push_back({std::move(name), unit, rate.limit,
                       SlidingWindow(rate.limit, rate.per, slidingMargin(limits, rate.per))});
    };
    const auto addEntry = [&](Unit unit, Rate rate) {
        add(std::to_string(rate.limit) + (unit == Unit::Requests ? " requests per " : " tokens per ") +
                formatDuration(rate.per),
            unit, rate);
    };
    if (limits.rps) add("rps", Unit::Requests, windowOf(*limits.rps));
    if (limits.rpm) add("rpm", Unit::Requests, {*limits.rpm, 1min});
    if (limits.tpm) add("tpm", Unit::Tokens, {*limits.tpm, 1min});
    for (const config::Window& w : limits.windows) {
        if (w.requests) addEntry(Unit::Requests, {*w.requests, w.per});
        if (w.tokens) addEntry(Unit::Tokens, {*w.tokens, w.per});
    }
    return all;
}

std::vector<Quotas::Daily> Quotas::dailyOf(const config::Limits& limits) {
    const TimeZone zone = TimeZone::find(limits.day_resets_in).value_or(TimeZone::utc());
    const milliseconds margin = std::max<milliseconds>(limits.skew.value_or(0ms), 2s);
    std::vector<Daily> all;
    const auto add = [&](const char* name, Unit unit, int64_t limit) {
        all.push_back({name, unit, limit, margin, DayWindow(limit, zone, margin)});
    };
    if (limits.rpd) add("rpd", Unit::Requests, *limits.rpd);
    if (limits.tpd) add("tpd", Unit::Tokens, *limits.tpd);
    return all;
}

Quotas::Quotas(const config::Limits& limits, const Clock& clock) : clock_(clock) { reconfigure(limits); }

DayTime Quotas::dayTime() const { return {clock_.wall(), clock_.uptime()}; }

void Quotas::reconfigure(const config::Limits& limits) {
    const DayTime today = dayTime();
    auto sliding = slidingOf(limits);
    for (Sliding& s : sliding) {
        const auto old = std::ranges::find_if(sliding_, [&s](const Sliding& o) {
            return o.unit == s.unit && o.window.length() == s.window.length();
        });
        if (old == sliding_.end()) {
            s.window.reserve(out_.of(s.unit));
            continue;
        }
        s.window = old->window;
        s.window.setMargin(slidingMargin(limits, s.window.length()));
        s.learned = old->learned;
    }
    auto daily = dailyOf(limits);
    for (Daily& d : daily) {
        const auto old = std::ranges::find(daily_, d.unit, &Daily::unit);
        if (old == daily_.end()) continue;
        // Also in another time zone: what was used today may all be today's there.
        const auto was = old->window.saved(today);
        d.window.restore(today, today, {d.window.saved(today).day, was.units, was.late});
        d.learned = old->learned;
    }
    sliding_ = std::move(sliding);
    daily_ = std::move(daily);
}

SteadyTime Quotas::readyAt(const Cost& cost) { return readyAt(cost, 0); }

SteadyTime Quotas::readyAtBest(const Cost& cost) { return readyAt(cost, answers_out_); }

SteadyTime Quotas::readyAt(const Cost& cost, int64_t back) {
    const SteadyTime now = clock_.now();
    const Units units{1, cost.tokens()}, returned{0, back};
    // A window takes more than its limit for the limit.
    const auto missing = [&](const auto& w) {
        return std::min(units.of(w.unit), w.window.limit()) - returned.of(w.unit);
    };
    applyLimits(now);
    SteadyTime ready = now;
    for (Sliding& s : sliding_) ready = std::max(ready, s.window.readyAt(now, missing(s)));
    for (const Credit& c : credits_)
        if (c.left + returned.of(c.unit) < units.of(c.unit)) ready = std::max(ready, c.until);
    if (daily_.empty()) return ready;
    const DayTime today = dayTime();
    for (Daily& d : daily_) ready = std::max(ready, now + d.window.readyIn(today, missing(d)));
    return ready;
}

Permit Quotas::reserve(const Cost& cost) {
    const Units units{1, cost.tokens()};
    for (Sliding& s : sliding_) s.window.reserve(units.of(s.unit));
    for (Daily& d : daily_) d.window.add(dayTime(), units.of(d.unit));
    for (Credit& c : credits_) c.left -= units.of(c.unit);
    out_.requests += units.requests;
    out_.tokens += units.tokens;
    answers_out_ += cost.tokens_out;
    tokens_so_far_ += units.tokens;
    last_tokens_ = units.tokens;
    return {cost, ++number_, tokens_so_far_, clock_.now(), {}, {}};
}

void Quotas::sent(Permit& permit) {
    if (permit.sent) return;
    permit.sent = clock_.now();
    const Units units{1, permit.cost.tokens_in};
    for (Sliding& s : sliding_) s.window.sent(*permit.sent, units.of(s.unit));
    out_.requests -= units.requests;
    out_.tokens -= units.tokens;
}

void Quotas::arrived(Permit& permit) {
    if (!permit.sent || permit.seen) return;
    permit.seen = clock_.now();
    const Units units{1, permit.cost.tokens_in};
    for (Sliding& s : sliding_) {
        s.window.adjust(*permit.sent, -units.of(s.unit));
        s.window.adjust(s.window.stampFor(*permit.sent, permit.seen), units.of(s.unit));
    }
}

void Quotas::cancel(const Permit& permit) {
    const Cost& cost = permit.cost;
    const Units stamped = permit.sent ? Units{1, cost.tokens_in} : Units{};
    const Units reserved{1 - stamped.requests, cost.tokens() - stamped.tokens};
    for (Sliding& s : sliding_) {
        s.window.release(reserved.of(s.unit));
        if (permit.sent) s.window.adjust(s.window.stampFor(*permit.sent, permit.seen), -stamped.of(s.unit));
    }
    out_.requests -= reserved.requests;
    out_.tokens -= reserved.tokens;
    answers_out_ -= cost.tokens_out;
    correct(permit, {-1, -cost.tokens()});
}

void Quotas::settle(const Permit& permit, const Actual& actual) {
    Permit settled = permit;
    sent(settled);
    const Cost& cost = permit.cost;
    const int64_t in = saneOr(actual.tokens_in, cost.tokens_in);
    const int64_t out = saneOr(actual.tokens_out, actual.answered ? cost.tokens_out : 0);
    const SteadyTime now = clock_.now();
    for (Sliding& s : sliding_) {
        if (s.unit != Unit::Tokens) continue;
        s.window.adjust(s.window.stampFor(*settled.sent, settled.seen), in - cost.tokens_in);
        s.window.reserve(out - cost.tokens_out);
        s.window.sent(s.window.stampFor(now, now), out);
    }
    out_.tokens -= cost.tokens_out;
    answers_out_ -= cost.tokens_out;
    correct(permit, {0, in + out - cost.tokens()});
}

// In what counts at once and has no stamps.
void Quotas::correct(const Permit& permit, const Units& delta) {
    const DayTime today = dayTime();
    const WallTime reserved = today.wall - (clock_.now() - permit.reserved);
    for (Daily& d : daily_) {
        // A permit of yesterday has nothing to give back to today.
        const bool todays = reserved >= d.window.saved(today).day + d.margin;
        if (todays || delta.of(d.unit) > 0) d.window.add(today, delta.of(d.unit));
    }
    for (Credit& c : credits_)
        if (permit.number > c.after) c.left -= delta.of(c.unit);
}

void Quotas::learn(const std::vector<Allowance>& said, const Permit& permit) {
    const SteadyTime now = clock_.now();
    const Units since{number_ - permit.number, tokens_so_far_ - permit.tokens_so_far};
    for (const Allowance& a : said) {
        if (a.limit && *a.limit > 0 && isSane(*a.limit))
            if (Learned* learned = learnedFor(a)) learned->hear(*a.limit, now);
        if (!a.remaining || !isSane(*a.remaining)) continue;
        if (a.reset_in ? *a.reset_in < 0ms : *a.remaining > 0) continue;
        std::erase_if(credits_, [&a](const Credit& c) { return c.unit == a.unit && c.per == a.per; });
        credits_.push_back({a.unit, a.per, *a.remaining - since.of(a.unit),
                            now + std::min<milliseconds>(a.reset_in.value_or(1s), kDay), permit.number});
    }
}

Quotas::Learned* Quotas::learnedFor(const Allowance& said) {
    if (said.per == kDay) {
        const auto day = std::ranges::find(daily_, said.unit, &Daily::unit);
        if (day != daily_.end()) return &day->learned;
    }
    Sliding* shortest = nullptr;
    for (Sliding& s : sliding_) {
        const milliseconds length = s.window.length();
        const bool meant =
            said.per ? length == *said.per : length >= said.reset_in.value_or(0ms) && length <= kLongestGuess;
        if (s.unit != said.unit || !meant) continue;
        if (!shortest || length < shortest->window.length()) shortest = &s;
    }
    return shortest ? &shortest->learned : nullptr;
}

void Quotas::Learned::hear(int64_t said, SteadyTime now) {
    heard_at = now;
    if (limit && said > *limit && now - lowest_at < kLearnedFor) return;
    limit = said;
    lowest_at = now;
}

int64_t Quotas::Learned::orConfigured(int64_t configured, SteadyTime now) {
    if (limit && now - heard_at >= kLearnedFor) limit.reset();
    return std::min(configured, limit.value_or(configured));
}

void Quotas::refused() {
    const SteadyTime now = clock_.now();
    if (refused_at_ && now - *refused_at_ < kRefusalPause) return;
    share_ = std::max(0.1, shareAt(now) * 0.7);
    refused_at_ = now;
}

double Quotas::shareAt(SteadyTime now) const {
    if (!refused_at_) return 1.0;
    const std::chrono::duration<double, std::ratio<60>> minutes = now - *refused_at_;
    return std::min(1.0, share_ + 0.05 * minutes.count());
}

void Quotas::applyLimits(SteadyTime now) {
    const double share = shareAt(now);
    for (Sliding& s : sliding_) {
        const int64_t limit = s.learned.orConfigured(s.configured, now);
        // The summand: 49 % of 100 is 49, whatever the binary digits say.
        const auto lowered = static_cast<int64_t>(static_cast<double>(limit) * share + 1e-6);
        s.window.setLimit(s.window.length() >= kDay ? limit : std::max<int64_t>(lowered, 1));
    }
    for (Daily& d : daily_) d.window.setLimit(d.learned.orConfigured(d.configured, now));
}

std::optional<milliseconds> Quotas::dayResetIn() {
    if (daily_.empty()) return std::nullopt;
    return daily_.front().window.resetIn(dayTime());
}

std::vector<QuotaState> Quotas::state() {
    const SteadyTime now = clock_.now();
    const DayTime today = dayTime();
    applyLimits(now);
    std::vector<QuotaState> all;
    for (Sliding& s : sliding_)
        all.push_back({s.name, s.unit, s.window.limit(), s.window.used(now), s.configured,
                       until(s.window.readyAt(now, 1), now), until(s.window.emptyAt(now), now)});
    for (Daily& d : daily_) {
        const int64_t used = d.window.used(today);
        all.push_back({d.name, d.unit, d.window.limit(), used, d.configured, d.window.readyIn(today, 1),
                       used > 0 ? d.window.resetIn(today) : 0ms});
    }
    return all;
}

bool Quotas::unlimited() const { return sliding_.empty() && daily_.empty(); }

int64_t Quotas::mostTokens(SteadyTime now) {
    int64_t most = std::numeric_limits<int64_t>::max();
    const auto narrow = [&](auto& windows) {
        for (auto& w : windows)
            if (w.unit == Unit::Tokens) most = std::min(most, w.learned.orConfigured(w.configured, now));
    };
    narrow(sliding_);
    narrow(daily_);
    return most;
}

bool Quotas::countsTokens() const {
    const auto counts = [](const auto& w) { return w.unit == Unit::Tokens; };
    return std::ranges::any_of(sliding_, counts) || std::ranges::any_of(daily_, counts) ||
           std::ranges::any_of(credits_, counts);
}

int64_t Quotas::sendsWithin(milliseconds ahead, const Cost& each) {
    const SteadyTime now = clock_.now();
    const DayTime today = dayTime();
    const Units units{1, each.tokens()};
    applyLimits(now);
    int64_t sends = std::numeric_limits<int64_t>::max();
    for (Sliding& s : sliding_)
        if (const int64_t n = units.of(s.unit); n > 0)
            sends = std::min(sends, s.window.sendsUntil(now, now + ahead, n));
    for (Daily& d : daily_)
        if (const int64_t n = units.of(d.unit); n > 0)
            sends = std::min(sends, d.window.sendsUntil(today, today.wall + ahead, n));
    return sends;
}

}  // namespace stepper::limits
