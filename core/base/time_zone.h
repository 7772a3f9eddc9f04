// Time zones of the IANA database that the system keeps (package tzdata). Values; safe from any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"

namespace date {
class time_zone;
}

namespace stepper {

class TimeZone {
public:
    static TimeZone utc();
    // None when the system knows no zone of this name ("America/Los_Angeles"). "UTC" needs no database.
    static std::optional<TimeZone> find(std::string_view name);
    // For suggestions; empty when the system has no database.
    static std::vector<std::string> names();

    const std::string& name() const { return name_; }
    // The last moment at or before `t`, and the first after it, at which a new calendar day begins there.
    // Days that begin later than midnight, or whose midnight comes twice, begin at the first moment that has
    // their date.
    WallTime dayBegin(WallTime t) const;
    WallTime nextDayBegin(WallTime t) const;

private:
    TimeZone(std::string name, const date::time_zone* zone) : name_(std::move(name)), zone_(zone) {}
    std::string name_;
    const date::time_zone* zone_;  // of the database, which lives as long as the process; UTC without one
};

}  // namespace stepper
