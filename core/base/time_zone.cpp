#include "core/base/time_zone.h"

#include <chrono>
#include <exception>

#include <date/tz.h>

namespace stepper {
namespace {

using std::chrono::seconds;

date::local_days dateAt(const date::time_zone* zone, WallTime t) {
    const auto second = date::floor<seconds>(t);
    const seconds offset = zone ? zone->get_info(second).offset : seconds{0};
    return date::floor<date::days>(date::local_seconds{second.time_since_epoch() + offset});
}

WallTime beginOf(const date::time_zone* zone, date::local_days day) {
    const date::local_seconds midnight = day;
    if (!zone) return WallTime{midnight.time_since_epoch()};
    const date::local_info at = zone->get_info(midnight);
    if (at.result == date::local_info::nonexistent) return at.first.end;
    return WallTime{midnight.time_since_epoch() - at.first.offset};
}

// The latest day that has begun. Not always the date at `t`: clocks that are put back across midnight show
// the day before once more.
date::local_days dayAt(const date::time_zone* zone, WallTime t) {
    date::local_days day = dateAt(zone, t);
    while (beginOf(zone, day + date::days{1}) <= t) day += date::days{1};
    return day;
}

}  // namespace

TimeZone TimeZone::utc() { return {"UTC", nullptr}; }

std::optional<TimeZone> TimeZone::find(std::string_view name) {
    if (name == "UTC") return utc();
    try {
        const date::time_zone* zone = date::locate_zone(name);
        zone->get_info(date::sys_seconds{});  // reads the zone's file, which must not fail later
        return TimeZone(std::string(name), zone);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::vector<std::string> TimeZone::names() {
    try {
        std::vector<std::string> names;
        for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
        return names;
    } catch (const std::exception&) {
        return {};
    }
}

WallTime TimeZone::dayBegin(WallTime t) const { return beginOf(zone_, dayAt(zone_, t)); }

WallTime TimeZone::nextDayBegin(WallTime t) const { return beginOf(zone_, dayAt(zone_, t) + date::days{1}); }

}  // namespace stepper
