// One quota per calendar day of the provider's time zone. Pure; not synchronised.
//
// Clocks differ: what is sent within `margin` of midnight, on either side, counts for both days, and a new
// day begins `margin` after midnight. When the wall clock is set, ahead or back, nobody knows which day the
// provider has: what was used until then counts for the day that it is then, and for the next.
#pragma once
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/time_zone.h"

namespace stepper::limits {

// A moment of the wall clock, and when it was by one that cannot be set.
struct DayTime {
    WallTime wall;
    milliseconds uptime{0};
};

class DayWindow {
public:
    // limit >= 1, margin >= 0 and far below a day.
    DayWindow(int64_t limit, TimeZone zone, milliseconds margin);

    // How long until `cost` more units fit: 0 if at once. More than the limit is taken for the limit.
    milliseconds readyIn(const DayTime& now, int64_t cost);
    // Counts at once, for the day of `now`; a correction may be negative. Never below zero.
    void add(const DayTime& now, int64_t units);
    int64_t used(const DayTime& now);
    // Until the next day begins, also when nothing is used.
    milliseconds resetIn(const DayTime& now);
    // How many sends of `per_send` units could go out from now to `until`, which is at most some years away.
    int64_t sendsUntil(const DayTime& now, WallTime until, int64_t per_send);

    int64_t limit() const { return limit_; }
    void setLimit(int64_t limit) { limit_ = limit; }

    // For keeping across a restart: the day counted (its beginning), the units, and those of them that are
    // the next day's, too, as they were at `then`. restore() never lowers what is counted.
    struct Saved {
        WallTime day;
        int64_t units, late;
    };
    Saved saved(const DayTime& now);
    void restore(const DayTime& now, const DayTime& then, const Saved& saved);

private:
    void turn(const DayTime& now);
    bool wasSet(const DayTime& now) const;

    int64_t limit_;
    TimeZone zone_;
    milliseconds margin_;
    std::optional<DayTime> seen_;
    WallTime begins_{}, ends_{};  // of the day that is counted, without margins
    int64_t used_ = 0;
    int64_t late_ = 0;  // of used_: so near the end that it is also the next day's
};

}  // namespace stepper::limits
