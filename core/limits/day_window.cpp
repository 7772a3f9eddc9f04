#include "core/limits/day_window.h"

#include <algorithm>
#include <utility>

#include "core/base/result.h"

namespace stepper::limits {
namespace {

// More than any quota; keeps sums of absurd counts from overflowing.
constexpr int64_t kMostUnits = 1'000'000'000'000'000;

// Rounded up: who waits that long is not too early.
milliseconds between(WallTime from, WallTime to) { return std::chrono::ceil<milliseconds>(to - from); }

}  // namespace

DayWindow::DayWindow(int64_t limit, TimeZone zone, milliseconds margin)
    : limit_(limit), zone_(std::move(zone)), margin_(margin) {
    STEPPER_ASSERT(limit >= 1 && margin >= milliseconds{0});
}

void DayWindow::turn(WallTime now) {
    const WallTime settled = now - margin_;
    if (settled >= begins_ && settled < ends_) return;
    const bool was_put_back = settled < begins_;
    const WallTime last_end = ends_;
    begins_ = zone_.dayBegin(settled);
    ends_ = zone_.nextDayBegin(settled);
    if (was_put_back) {
        late_ = used_;
        return;
    }
    used_ = begins_ == last_end ? late_ : 0;
    late_ = 0;
}

milliseconds DayWindow::readyIn(WallTime now, int64_t cost) {
    turn(now);
    cost = std::min(cost, limit_);
    if (cost <= limit_ - used_) return milliseconds{0};
    const WallTime next = cost <= limit_ - late_ ? ends_ : zone_.nextDayBegin(ends_);
    return between(now, next + margin_);
}

void DayWindow::add(WallTime now, int64_t units) {
    turn(now);
    units = std::clamp(units, -kMostUnits, kMostUnits);
    used_ = std::clamp<int64_t>(used_ + units, 0, kMostUnits);
    // What is taken back may be of an earlier send than the late ones.
    if (now >= ends_ - margin_) late_ = std::min(late_ + std::max<int64_t>(units, 0), kMostUnits);
    late_ = std::min(late_, used_);
}

int64_t DayWindow::used(WallTime now) {
    turn(now);
    return used_;
}

milliseconds DayWindow::resetIn(WallTime now) {
    turn(now);
    return between(now, ends_ + margin_);
}

int64_t DayWindow::sendsUntil(WallTime now, WallTime until, int64_t per_send) {
    turn(now);
    const int64_t each = std::clamp<int64_t>(per_send, 1, limit_);
    const auto fitting = [&](int64_t taken) { return std::max<int64_t>(limit_ - taken, 0) / each; };
    int64_t sends = fitting(used_);
    int64_t taken = late_;
    for (WallTime day = ends_; day + margin_ <= until; day = zone_.nextDayBegin(day)) {
        sends += fitting(taken);
        taken = 0;
    }
    return sends;
}

WallTime DayWindow::day(WallTime now) {
    turn(now);
    return begins_;
}

void DayWindow::restore(WallTime now, WallTime day, int64_t units) {
    turn(now);
    if (day == begins_) used_ = std::max(used_, std::min(units, kMostUnits));
}

}  // namespace stepper::limits
