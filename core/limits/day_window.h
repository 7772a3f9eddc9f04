// One quota per calendar day of the provider's time zone. Pure; not synchronised.
//
// Clocks differ: what is sent within `margin` of midnight, on either side, counts for both days, and a new
// day begins `margin` after midnight. A clock that is put back takes nothing off what is counted.
#pragma once
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/time_zone.h"

namespace stepper::limits {

class DayWindow {
public:
    // limit >= 1, margin >= 0 and far below a day.
    DayWindow(int64_t limit, TimeZone zone, milliseconds margin);

    // How long until `cost` more units fit: 0 if at once. More than the limit is taken for the limit.
    milliseconds readyIn(WallTime now, int64_t cost);
    // Counts at once, for the day of `now`; a correction may be negative. Never below zero.
    void add(WallTime now, int64_t units);
    int64_t used(WallTime now);
    // Until the next day begins, also when nothing is used.
    milliseconds resetIn(WallTime now);
    // How many sends of `per_send` units could go out from now to `until`, which is at most some years away.
    int64_t sendsUntil(WallTime now, WallTime until, int64_t per_send);

    int64_t limit() const { return limit_; }
    void setLimit(int64_t limit) { limit_ = limit; }

    // For keeping across a restart: the day counted (its beginning) and the units. restore() ignores another
    // day than the present one, and never lowers what is counted.
    WallTime day(WallTime now);
    void restore(WallTime now, WallTime day, int64_t units);

private:
    void turn(WallTime now);

    int64_t limit_;
    TimeZone zone_;
    milliseconds margin_;
    WallTime begins_{}, ends_{};  // of the day that is counted, without margins
    int64_t used_ = 0;
    int64_t late_ = 0;  // of used_: so near the end that it is also the next day's
};

}  // namespace stepper::limits
