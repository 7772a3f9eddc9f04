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

// "Please try again in 9m38.016s.", "retry in 0:09:48", "reset after 27s", "Try again in 20 seconds"
inline int64_t delayInText(std::string_view message) {
    const std::string text = lower(message);
    for (const std::string_view lead :
         {"try again in ", "retry in ", "retry after ", "reset after ", "resets in "}) {
        for (size_t from = text.find(lead); from != std::string::npos; from = text.find(lead, from + 1)) {
            const auto words =
                detail::split(std::string_view(text).substr(from + lead.size(), 64), " \t\n,;()");
            if (words.empty()) continue;
            std::string value(words[0].substr(0, words[0].find_last_not_of(".!") + 1));
            if (words.size() > 1 && std::all_of(value.begin(), value.end(), isDigit)) {
                const std::string_view unit = words[1];
                if (unit.starts_with("ms") || unit.starts_with("milli"))
                    value += "ms";
                else if (unit.starts_with("min"))
                    value += "m";
                else if (unit.starts_with("hour"))
                    value += "h";
                else if (unit.starts_with("day"))
                    value += "d";
            }
            if (const int64_t ms = durationMs(value); ms >= 0) return ms;
        }
    }
    return kNoDelay;
}

// The wait a response states outright: retry-after-ms, retry-after, RetryInfo, the message's own words,
// estimated_time. `json` is the body, or null.
inline int64_t statedDelayMs(const Headers& headers, const Value& json, std::string_view message) {
    const Value& body = unwrapped(json);
    double ms = 0;
    if (detail::wholeNumber(trim(header(headers, "retry-after-ms")), ms))
        if (const int64_t delay = detail::capped(ms); delay >= 0) return delay;
    const int64_t now = epochMs(header(headers, "date"));
    if (const int64_t delay = delayMs(header(headers, "retry-after"), now); delay >= 0) return delay;
    const Value* error = object(body, "error");
    if (const Value* details = array(error ? *error : body, "details"))
        for (const Value& detail : details->GetArray())
            if (string(detail, "@type").ends_with("google.rpc.RetryInfo"))
                if (const int64_t delay = durationMs(string(detail, "retryDelay")); delay >= 0) return delay;
    if (const int64_t delay = delayInText(message); delay >= 0) return delay;
    if (const auto seconds = number(body, "estimated_time")) return detail::capped(*seconds * 1000);
    return kNoDelay;
}

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
        if (const int64_t delay = delayMs(value, now); delay > 0) longest = std::max(longest, delay);
    }
    return longest;
}

}  // namespace stepper::kit
