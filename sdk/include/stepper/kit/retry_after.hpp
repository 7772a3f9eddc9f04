// stepper/kit/retry_after.hpp - how long a provider asks to be left alone, from whichever place it says so.
//
// Every duration is in milliseconds, -1 when unknown. Dates are read relative to the response's own `date`
// header, which the host guarantees, so no clock is needed and a wrong clock on either side does no harm.
#pragma once
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stepper/kit/json.hpp"
#include "stepper/kit/text.hpp"

namespace stepper::kit {

inline constexpr int64_t kNoDelay = -1;
inline constexpr int64_t kMaxDelayMs = 86'400'000;         // longer waits are cut down to this
inline constexpr int64_t kAbsurdMs = 400ll * kMaxDelayMs;  // longer than any quota period: not a delay at all

namespace detail {

// A plain decimal: no sign, exponent, "inf" or "nan".
inline bool takeNumber(std::string_view& s, double& out) {
    if (s.empty() || !isDigit(s.front())) return false;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out, std::chars_format::fixed);
    if (error != std::errc{}) return false;
    s.remove_prefix(static_cast<size_t>(end - s.data()));
    return true;
}

inline bool wholeNumber(std::string_view s, double& out) { return takeNumber(s, out) && s.empty(); }

inline int64_t capped(double ms) {
    if (!(ms >= 0) || ms > static_cast<double>(kAbsurdMs)) return kNoDelay;
    return std::min(static_cast<int64_t>(std::ceil(ms - 1e-6)), kMaxDelayMs);
}

inline std::vector<std::string_view> split(std::string_view s, std::string_view separators) {
    std::vector<std::string_view> parts;
    for (size_t i = 0; (i = s.find_first_not_of(separators, i)) != std::string_view::npos;) {
        const size_t end = std::min(s.find_first_of(separators, i), s.size());
        parts.push_back(s.substr(i, end - i));
        i = end;
    }
    return parts;
}

}  // namespace detail

// "7.66s", "6m0s", "1h2m3s", "120ms", "34" (seconds), "0:09:48". Sub-millisecond rests round up.
inline int64_t durationMs(std::string_view s) {
    struct Unit {
        std::string_view name;
        double ms;
    };
    static constexpr std::array<Unit, 5> kUnits = {
        {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
    s = trim(s);
    double value = 0, total = 0;
    if (s.find(':') != std::string_view::npos) {
        const auto parts = detail::split(s, ":");
        if (parts.size() != 3) return kNoDelay;
        for (const std::string_view part : parts) {
            if (!detail::wholeNumber(part, value)) return kNoDelay;
            total = total * 60 + value;
        }
        return detail::capped(total * 1000);
    }
    if (detail::wholeNumber(s, value)) return detail::capped(value * 1000);
    if (s.empty()) return kNoDelay;
    for (auto unit = kUnits.begin(); !s.empty(); ++unit) {
        if (!detail::takeNumber(s, value)) return kNoDelay;
        const size_t letters = static_cast<size_t>(std::find_if_not(s.begin(), s.end(), isAlpha) - s.begin());
        unit =
            std::find_if(unit, kUnits.end(), [&](const Unit& u) { return u.name == s.substr(0, letters); });
        if (unit == kUnits.end()) return kNoDelay;
        total += value * unit->ms;
        s.remove_prefix(letters);
    }
    return detail::capped(total);
}

// Milliseconds since 1970 of an IMF-fixdate, RFC 850, asctime or RFC 3339 time; -1 otherwise.
inline int64_t epochMs(std::string_view s) {
    using namespace std::chrono;
    static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    s = trim(s);
    const bool rfc3339 = s.size() >= 20 && isDigit(s[0]) && s[4] == '-';
    const auto parts = detail::split(s, rfc3339 ? "-:Tt+Zz " : " ,:-");
    if (parts.size() < (rfc3339 ? 6u : 7u)) return kNoDelay;

    double y = 0, mon = 0, d = 0, h = 0, min = 0, sec = 0;
    const auto read = [&](size_t i, double& to) { return detail::wholeNumber(parts[i], to); };
    double offset_minutes = 0;
    if (rfc3339) {
        if (!read(0, y) || !read(1, mon) || !read(2, d) || !read(3, h) || !read(4, min) || !read(5, sec))
            return kNoDelay;
        double oh = 0, om = 0;
        if (parts.size() == 8 && read(6, oh) && read(7, om))
            offset_minutes = (s[s.size() - 6] == '-' ? -1 : 1) * (oh * 60 + om);
    } else {
        const bool asctime = !isDigit(parts[1].front());
        const size_t month = asctime ? 1 : 2, day = asctime ? 2 : 1, time = asctime ? 3 : 4,
                     year = asctime ? 6 : 3;
        const size_t name = kMonths.find(parts[month]);
        if (name == std::string_view::npos || name % 3 != 0 || parts[month].size() != 3) return kNoDelay;
        mon = static_cast<double>(name / 3 + 1);
        if (!read(day, d) || !read(year, y) || !read(time, h) || !read(time + 1, min) || !read(time + 2, sec))
            return kNoDelay;
        if (y < 100) y += y < 70 ? 2000 : 1900;
    }
    if (y < 1970 || y > 9999 || mon > 12 || d > 31 || h > 24 || min > 60 || sec > 61) return kNoDelay;
    const year_month_day date{year(static_cast<int>(y)), month(static_cast<unsigned>(mon)),
                              day(static_cast<unsigned>(d))};
    if (!date.ok()) return kNoDelay;
    const double seconds = static_cast<double>(sys_days(date).time_since_epoch().count()) * 86'400 +
                           h * 3'600 + (min - offset_minutes) * 60 + sec;
    return static_cast<int64_t>(seconds * 1000);
}

// One value of any of these forms: a duration, a date, or epoch seconds or milliseconds. A date in the past
// is 0.
inline int64_t delayMs(std::string_view value, int64_t now_epoch_ms) {
    value = trim(value);
    double n = 0;
    const bool numeric = detail::wholeNumber(value, n);
    int64_t then = kNoDelay;
    if (numeric && n >= 1e9 && n < 1e16)
        then = static_cast<int64_t>(n >= 1e12 ? n : n * 1000);
    else if (!numeric)
        then = epochMs(value);
    if (then == kNoDelay) return durationMs(value);
    return now_epoch_ms < 0 ? kNoDelay
                            : detail::capped(static_cast<double>(std::max<int64_t>(then - now_epoch_ms, 0)));
}

namespace detail {

// The unit a word names, in milliseconds; 0 for another word.
inline double unitMs(std::string_view word) {
    struct Unit {
        double ms;
        std::array<std::string_view, 3> names;
    };
    static constexpr std::array<Unit, 6> kUnits = {{{1, {"ms", "msec", "millisecond"}},
                                                    {1'000, {"s", "sec", "second"}},
                                                    {60'000, {"m", "min", "minute"}},
                                                    {3'600'000, {"h", "hr", "hour"}},
                                                    {86'400'000, {"d", "day", "day"}},
                                                    {604'800'000, {"w", "week", "week"}}}};
    for (const Unit& unit : kUnits)
        for (const std::string_view name : unit.names)
            if (word == name || (word.ends_with('s') && word.substr(0, word.size() - 1) == name))
                return unit.ms;
    return 0;
}

// A duration at the start of a text: "9m38.016s.", "6hr 29min", "20 seconds", "0:09:48", "7".
inline int64_t proseDurationMs(std::string_view s) {
    const std::string_view clock = s.substr(0, s.find_first_not_of("0123456789:"));
    if (clock.find(':') != std::string_view::npos) return durationMs(clock);
    double total = 0, value = 0;
    int64_t ms = kNoDelay;
    while (takeNumber(s, value)) {
        const std::string_view rest = s.substr(s.starts_with(' '));
        const auto letters = std::find_if_not(rest.begin(), rest.end(), isAlpha) - rest.begin();
        const std::string_view word = rest.substr(0, static_cast<size_t>(letters));
        const double unit = word.empty() && ms == kNoDelay ? 1'000 : unitMs(word);
        if (unit == 0) break;
        total += value * unit;
        ms = capped(total);
        s = rest.substr(word.size());
        s.remove_prefix(std::min(s.find_first_not_of(" ,"), s.size()));
        if (s.starts_with("and ")) s.remove_prefix(4);
    }
    return ms;
}

// A moment at the start of a text: "2026-12-01T00:00:00Z", "2026-12-01 at 00:00 UTC".
inline int64_t proseMomentMs(std::string_view s) {
    if (s.size() > 19 && s.substr(10, 4) == " at " && s.substr(19).starts_with(" utc"))
        return epochMs(std::string(s.substr(0, 10)) + "T" + std::string(s.substr(14, 5)) + ":00Z");
    return epochMs(s.substr(0, s.find_first_of(" \n)")));
}

}  // namespace detail

// "Please try again in 9m38.016s.", "retry after 7 seconds", "reset after 27s", "Please wait 35790 seconds",
// "Resets in 6hr 29min", "You will regain access on 2026-12-01 at 00:00 UTC".
inline int64_t delayInText(std::string_view message, int64_t now_epoch_ms = kNoDelay) {
    const std::string text = lower(message);
    int64_t longest = kNoDelay;
    const auto each = [&](std::string_view lead, auto read) {
        for (size_t at = text.find(lead); at != std::string::npos; at = text.find(lead, at + 1))
            longest = std::max(longest, read(std::string_view(text).substr(at + lead.size(), 64)));
    };
    for (const std::string_view lead :
         {"try again in ", "try again after ", "retry in ", "retry after ", "reset after ", "resets after ",
          "reset in ", "resets in ", "please wait ", "available in "})
        each(lead, detail::proseDurationMs);
    if (now_epoch_ms >= 0)
        for (const std::string_view lead : {"regain access on ", "reset at ", "resets at "})
            each(lead, [&](std::string_view rest) {
                const int64_t then = detail::proseMomentMs(rest);
                return then < now_epoch_ms ? kNoDelay
                                           : detail::capped(static_cast<double>(then - now_epoch_ms));
            });
    return longest;
}

namespace detail {

// Milliseconds say the same as the seconds beside them, and more exactly, but for 0, which Azure sends there.
inline int64_t delayInHeaders(const Headers& headers, int64_t now_epoch_ms) {
    int64_t ms = kNoDelay;
    double exact = 0;
    for (const char* name : {"retry-after-ms", "x-ms-retry-after-ms"})
        if (wholeNumber(trim(header(headers, name)), exact)) ms = std::max(ms, capped(exact));
    const int64_t rounded = delayMs(header(headers, "retry-after"), now_epoch_ms);
    return ms > 0 ? ms : std::max(ms, rounded);
}

inline int64_t delayInMembers(const Value& from) {
    int64_t longest = kNoDelay;
    for (const char* seconds :
         {"retry_after", "retry_after_seconds", "retryAfter", "resets_in_seconds", "estimated_time"})
        if (const auto n = number(from, seconds)) longest = std::max(longest, capped(*n * 1'000));
    if (const auto ms = number(from, "retry_after_ms")) longest = std::max(longest, capped(*ms));
    return longest;
}

}  // namespace detail

// The wait a response states outright: the longest of what its headers, Google's RetryInfo, the body's
// members and the message say, for each of them is somewhere known to be cut short. `json` is the body, or
// null.
inline int64_t statedDelayMs(const Headers& headers, const Value& json, std::string_view message) {
    const Value& body = unwrapped(json);
    const Value* error = object(body, "error");
    const int64_t now = epochMs(header(headers, "date"));
    int64_t longest = std::max(detail::delayInHeaders(headers, now), delayInText(message, now));
    if (const Value* details = array(error ? *error : body, "details"))
        for (const Value& detail : details->GetArray())
            if (string(detail, "@type").ends_with("google.rpc.RetryInfo"))
                longest = std::max(longest, durationMs(string(detail, "retryDelay")));
    const Value* metadata = error ? object(*error, "metadata") : nullptr;
    for (const Value* place : {&body, error, metadata})
        if (place) longest = std::max(longest, detail::delayInMembers(*place));
    return longest;
}

namespace detail {

// How long the quota of a reset header is for, where a header beside it or its own name says so.
inline int64_t periodMs(const Headers& all, std::string_view reset_header) {
    std::string renewal(reset_header);
    renewal.replace(renewal.find("reset"), 5, "renewalperiod");
    if (const int64_t period = durationMs(header(all, renewal)); period > 0) return period;
    static constexpr std::array<std::pair<std::string_view, int64_t>, 3> kUnits = {
        {{"minute", 60'000}, {"hour", 3'600'000}, {"day", 86'400'000}}};
    for (const auto& [unit, ms] : kUnits)
        if (reset_header.find(unit) != std::string_view::npos) return ms;
    return kNoDelay;
}

// A reset clearly longer than its period cannot be seconds: Azure's are milliseconds.
inline int64_t resetMs(std::string_view value, int64_t period_ms, int64_t now_epoch_ms) {
    double plain = 0;
    const bool number = wholeNumber(trim(value), plain) && plain < 1e9;
    const bool too_long = period_ms > 0 && plain * 1'000 > static_cast<double>(period_ms) * 1.1;
    return number && too_long ? capped(plain) : delayMs(value, now_epoch_ms);
}

}  // namespace detail

// The wait the rate-limit headers imply: the longest reset among the dimensions with nothing remaining, also
// when the body repeats the headers (OpenRouter's error.metadata.headers). Only meaningful for a rate limit.
inline int64_t resetDelayMs(const Headers& headers, const Value& json) {
    Headers all = headers;
    if (const Value* repeated = at(unwrapped(json), "/error/metadata/headers");
        repeated && repeated->IsObject())
        for (const auto& [name, value] : repeated->GetObject())
            if (value.IsString()) all.emplace_back(lower(view(name)), view(value));

    const int64_t now = epochMs(header(headers, "date"));
    int64_t longest = kNoDelay;
    for (const auto& [name, value] : all) {
        const size_t reset = name.find("reset");
        if (name.find("ratelimit") == std::string::npos || reset == std::string::npos) continue;
        std::string counter = name;
        counter.replace(reset, 5, "remaining");
        double remaining = 0;
        const std::string_view left = trim(header(all, counter));
        const bool used_up = left.empty() ? name == "x-ratelimit-reset"
                                          : detail::wholeNumber(left, remaining) && remaining <= 0;
        if (!used_up) continue;
        if (const int64_t delay = detail::resetMs(value, detail::periodMs(all, name), now); delay > 0)
            longest = std::max(longest, delay);
    }
    return longest;
}

}  // namespace stepper::kit
