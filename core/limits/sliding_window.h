// One quota: at most so many units in any stretch of a length. Exact, whether the provider's own window
// slides or is fixed, because no stretch of that length ever holds more. Pure; not synchronised.
//
// What counts is when the provider saw a send, which lies between our sending and its answer. A send is
// therefore reserved first, which counts as "now" until its bytes have gone out, and stamped then; a margin
// on top covers what the way to the provider varies by, as far as the answer does not begin sooner. Stamps
// are kept in steps of 1/1000 of the length, rounded up, so that memory is bounded and the error is on the
// safe side.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace stepper::limits {

class SlidingWindow {
public:
    // limit >= 1, length > 0, margin >= 0.
    SlidingWindow(int64_t limit, milliseconds length, milliseconds margin);

    // When `cost` more units fit: `now` if at once. More than the limit is taken for the limit: it goes when
    // the window is empty. While reservations are not sent yet this is what time alone does; a release may do
    // it sooner, and a reservation that is sent late makes it later.
    SteadyTime readyAt(SteadyTime now, int64_t cost);

    // A correction of a reservation may be negative.
    void reserve(int64_t cost);
    // A reservation that never left.
    void release(int64_t cost);
    // A reservation that went out at that moment, which is not before any earlier call's by more than the
    // length.
    void sent(SteadyTime at, int64_t cost);
    // The moment to stamp with what went out at `sent` and was seen by `seen`, because an answer began then:
    // within the margin no later moment need be allowed for.
    SteadyTime stampFor(SteadyTime sent, std::optional<SteadyTime> seen) const {
        return seen && *seen < sent + margin_ ? *seen - margin_ : sent;
    }
    // Units that cost more (or, negative, less) than what was stamped at that moment. Never below zero. Like
    // all that follows a reservation it throws nothing: without memory units are stamped later than they
    // should be.
    void adjust(SteadyTime at, int64_t delta);

    // Units in the window, with reservations; the limit may have been exceeded by an adjustment or a new
    // limit.
    int64_t used(SteadyTime now);
    // When everything will be free again if nothing more is sent; `now` when it is.
    SteadyTime emptyAt(SteadyTime now);
    // How many sends of `per_send` units could go out from now to `until`, each as soon as it may, if what is
    // reserved is sent now.
    int64_t sendsUntil(SteadyTime now, SteadyTime until, int64_t per_send);

    int64_t limit() const { return limit_; }
    milliseconds length() const { return length_; }
    void setLimit(int64_t limit) { limit_ = limit; }
    void setMargin(milliseconds margin) { margin_ = margin; }

    // What was sent and still counts, oldest first, for keeping across a restart; without reservations.
    struct Mark {
        SteadyTime at;
        int64_t units;
    };
    std::vector<Mark> marks(SteadyTime now);
    int64_t reserved() const { return reserved_; }

private:
    using Duration = SteadyTime::duration;

    void expire(SteadyTime now);
    using Marks = std::deque<Mark>;
    // A mark for that moment, before `next`, or one that can stand for it; the end when there is no memory
    // for any.
    Marks::iterator insert(Marks::iterator next, SteadyTime stamp);
    Duration inSteps(Duration d) const;  // rounded up
    SteadyTime stampOf(SteadyTime t) const;
    SteadyTime freeAt(SteadyTime stamp) const;  // when what was stamped then no longer counts
    int64_t turns(SteadyTime first, SteadyTime until) const;

    int64_t limit_;
    milliseconds length_, margin_;
    Duration step_;
    Marks marks_;       // by time
    int64_t sent_ = 0;  // sum of marks_
    int64_t reserved_ = 0;
};

}  // namespace stepper::limits
