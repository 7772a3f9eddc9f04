#include "core/base/clock.h"

#include <cstdio>
#include <ctime>

namespace stepper {
namespace {

std::tm utcOf(WallTime t) {
    const std::time_t seconds =
        std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(t));
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return utc;
}

}  // namespace

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

}  // namespace stepper
