#include "core/base/clock.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>

namespace stepper {
namespace {

std::tm utcOf(WallTime t) {
    const std::time_t seconds =
        std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(t));
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return utc;
}

// The number these digits make; -1 where one is no digit.
int number(std::string_view digits) {
    int value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// `time` is "10:00:00".
std::optional<WallTime> moment(int year, int month, int day, std::string_view time) {
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    const int h = number(time.substr(0, 2)), m = number(time.substr(3, 2)), s = number(time.substr(6));
    if (year < 2000 || year > 2199 || !date.ok() || time[2] != ':' || time[5] != ':') return std::nullopt;
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(h) + std::chrono::minutes(m) +
           std::chrono::seconds(s);
}

// "Sat, 21 Nov 2026 10:00:00 GMT"
std::optional<WallTime> parseHttpDate(std::string_view text) {
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
        text[16] != ' ' || !text.ends_with(" GMT"))
        return std::nullopt;
    const size_t month = kMonths.find(text.substr(8, 3));
    if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
    return moment(number(text.substr(12, 4)), static_cast<int>(month / 3) + 1, number(text.substr(5, 2)),
                  text.substr(17, 8));
}

// "2026-11-21T10:00:00", what follows of digits behind a point, and "Z" or "+02:00".
std::optional<WallTime> parseIsoTime(std::string_view text) {
    if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return std::nullopt;
    const auto whole = moment(number(text.substr(0, 4)), number(text.substr(5, 2)), number(text.substr(8, 2)),
                              text.substr(11, 8));
    if (!whole) return std::nullopt;
    std::string_view rest = text.substr(19);
    std::chrono::nanoseconds fraction{0};
    if (rest.front() == '.') {
        const size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
        if (end == 1) return std::nullopt;
        std::string nanos(rest.substr(1, end - 1));
        nanos.resize(9, '0');
        fraction = std::chrono::nanoseconds(number(nanos));
        rest.remove_prefix(end);
    }
    if (rest == "Z") return *whole + fraction;
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return std::nullopt;
    const int hours = number(rest.substr(1, 2)), minutes = number(rest.substr(4));
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    return *whole + fraction + (rest[0] == '+' ? -offset : offset);
}

}  // namespace

milliseconds SystemClock::uptime() const {
    timespec t{};
    ::clock_gettime(CLOCK_BOOTTIME, &t);
    return milliseconds{t.tv_sec * 1'000 + t.tv_nsec / 1'000'000};
}

std::string SystemClock::boot() const {
    static const std::string id = [] {
        std::string line;
        std::ifstream("/proc/sys/kernel/random/boot_id") >> line;
        return line;
    }();
    return id;
}

std::string isoTime(WallTime t) {
    const auto ms = std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
    const std::tm utc = utcOf(t);
    char out[80];
    std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                  utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(ms % 1000));
    return out;
}

std::string httpDate(WallTime t) {
    const std::tm utc = utcOf(t);
    char out[40];
    return {out, std::strftime(out, sizeof out, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

std::optional<WallTime> parseTime(std::string_view text) {
    const auto date = parseHttpDate(text);
    return date ? date : parseIsoTime(text);
}

}  // namespace stepper
