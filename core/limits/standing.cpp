#include "core/limits/standing.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stepper::limits {
namespace {

constexpr milliseconds kRateLimitBase{2'000}, kRateLimitCap{60'000};
// "Retry-After: 0" means soon, not in the same instant again.
constexpr milliseconds kShortestHint{250};
constexpr milliseconds kQuotaPause{600'000};
constexpr milliseconds kSetAsideBase{300'000}, kSetAsideCap{3'600'000};
// A provider that says "come back never" must not be lost.
constexpr milliseconds kLongestPause{86'400'000};
constexpr int64_t kMostInRow = 1'000;

constexpr std::array kDenials{Denial::RateLimited, Denial::CircuitOpen, Denial::Disabled};
constexpr std::array kSetAsides{SetAside::KeyRefused, SetAside::ModelMissing};

std::string_view nameOf(SetAside s) { return s == SetAside::KeyRefused ? "key_refused" : "model_missing"; }
std::string_view nameOf(Denial d) { return name(d); }

// The one that is named.
template <class T, size_t N>
std::optional<T> among(const std::array<T, N>& all, std::optional<std::string_view> named) {
    for (const T candidate : all)
        if (named == nameOf(candidate)) return candidate;
    return std::nullopt;
}

milliseconds doubled(milliseconds base, int times, milliseconds cap) {
    milliseconds d = base;
    for (int i = 0; i < times && d < cap; ++i) d *= 2;
    return std::min(d, cap);
}

int countIn(const json::Value& v, std::string_view key) {
    return static_cast<int>(std::clamp<int64_t>(json::integer(v, key).value_or(0), 0, kMostInRow));
}

int64_t msUntil(SteadyTime then, SteadyTime now) {
    return std::chrono::ceil<milliseconds>(std::max(then, now) - now).count();
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

std::string_view Standing::quotaWords(SteadyTime now) const {
    return now < quota_until_ ? std::string_view(quota_words_) : std::string_view{};
}

void Standing::coolFor(SteadyTime now, Denial why, milliseconds pause) {
    const SteadyTime until = now + std::min(pause, kLongestPause);
    if (until <= until_) return;
    until_ = until;
    why_ = why;
    changed_ = true;
}

void Standing::limited(SteadyTime now, std::optional<milliseconds> retry_after, double chance) {
    const auto most = static_cast<double>(doubled(kRateLimitBase, limits_in_row_++, kRateLimitCap).count());
    const milliseconds jittered{static_cast<int64_t>(chance * most)};
    changed_ = true;
    coolFor(now, Denial::RateLimited, std::max(kShortestHint, retry_after.value_or(jittered)));
}

void Standing::spent(SteadyTime now, std::optional<milliseconds> retry_after,
                     std::optional<milliseconds> day_resets_in, std::string words) {
    const milliseconds unknown = doubled(kQuotaPause, limits_in_row_++, kLongestPause);
    changed_ = true;
    coolFor(now, Denial::RateLimited,
            retry_after ? std::max(*retry_after, kShortestHint) : day_resets_in.value_or(unknown));
    quota_words_ = std::move(words);
    quota_until_ = until_;
}

bool Standing::putAside(SteadyTime now, SetAside why, std::optional<milliseconds> retry_after) {
    const bool news = std::exchange(set_aside_, why) != why;
    changed_ = changed_ || news;
    // Calls that were under way together are refused together.
    if (why_ == Denial::Disabled && now < until_ && !news) return false;
    const milliseconds pause = doubled(kSetAsideBase, refusals_in_row_++, kSetAsideCap);
    changed_ = true;
    coolFor(now, Denial::Disabled, std::max(pause, retry_after.value_or(milliseconds{0})));
    return news;
}

void Standing::well() {
    changed_ = changed_ || limits_in_row_ > 0 || refusals_in_row_ > 0 || set_aside_;
    limits_in_row_ = refusals_in_row_ = 0;
    set_aside_.reset();
}

void Standing::retarget() {
    refusals_in_row_ = 0;
    set_aside_.reset();
    if (why_ == Denial::Disabled || quota_until_ == until_) until_ = {};
    quota_until_ = {};
    changed_ = true;
}

void Standing::save(SteadyTime now, json::Writer& w) const {
    json::put(w, "why", nameOf(why_));
    json::putInt(w, "ms", msUntil(until_, now));
    json::putInt(w, "limitsInRow", limits_in_row_);
    json::putInt(w, "refusalsInRow", refusals_in_row_);
    if (set_aside_) json::put(w, "setAside", nameOf(*set_aside_));
    if (quota_until_ > now) {
        json::put(w, "quotaWords", quota_words_);
        json::putInt(w, "quotaMs", msUntil(quota_until_, now));
    }
}

bool Standing::restore(SteadyTime now, const json::Value& saved, milliseconds age) {
    const auto why = among(kDenials, json::string(saved, "why"));
    const auto ms = json::integer(saved, "ms");
    if (!why || !ms) return false;
    const auto left = [age](int64_t of) {
        return std::min(
            milliseconds{std::clamp<int64_t>(of, 0, kLongestPause.count())} - std::max(age, milliseconds{0}),
            kLongestPause);
    };
    if (left(*ms) <= milliseconds{0}) return true;
    until_ = now + left(*ms);
    why_ = *why;
    limits_in_row_ = countIn(saved, "limitsInRow");
    refusals_in_row_ = countIn(saved, "refusalsInRow");
    set_aside_ = among(kSetAsides, json::string(saved, "setAside"));
    quota_words_ = json::string(saved, "quotaWords").value_or("");
    quota_until_ = now + left(json::integer(saved, "quotaMs").value_or(0));
    return true;
}

}  // namespace stepper::limits
