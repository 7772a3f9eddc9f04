#include "core/limits/day_window.h"

#include <algorithm>
#include <utility>

#include "core/base/result.h"

namespace stepper::limits {
namespace {

// More than any quota; keeps sums of absurd counts from overflowing.
constexpr int64_t kMostUnits = 1'000'000'000'000'000;
// Less comes from reading one clock after the other.
constexpr milliseconds kSetBy{1'000};

// Rounded up: who waits that long is not too early.
milliseconds between(WallTime from, WallTime to) { return std::chrono::ceil<milliseconds>(to - from); }

}  // namespace

DayWindow::DayWindow(int64_t limit, TimeZone zone, milliseconds margin)
    : limit_(limit), zone_(std::move(zone)), margin_(margin) {
    STEPPER_ASSERT(limit >= 1 && margin >= milliseconds{0});
}

bool DayWindow::wasSet(const DayTime& now) const {
    if (!seen_) return false;
    const auto set_by = (now.wall - seen_->wall) - (now.uptime - seen_->uptime);
    return set_by > kSetBy || set_by < -kSetBy;
}

void DayWindow::turn(const DayTime& now) {
    const bool was_set = wasSet(now);
    seen_ = now;
    if (was_set) late_ = used_;
    const WallTime settled = now.wall - margin_;
    if (settled >= begins_ && settled < ends_) return;
    const WallTime last_end = ends_;
    const bool goes_back = settled < begins_;
    begins_ = zone_.dayBegin(settled);
    ends_ = zone_.nextDayBegin(settled);
    if (was_set || goes_back) {
        late_ = used_;
        return;
    }
    used_ = begins_ == last_end ? late_ : 0;
    late_ = 0;
}

milliseconds DayWindow::readyIn(const DayTime& now, int64_t cost) {
    turn(now);
    cost = std::min(cost, limit_);
    if (cost <= limit_ - used_) return milliseconds{0};
    const WallTime next = cost <= limit_ - late_ ? ends_ : zone_.nextDayBegin(ends_);
    return between(now.wall, next + margin_);
}

void DayWindow::add(const DayTime& now, int64_t units) {
    turn(now);
    units = std::clamp(units, -kMostUnits, kMostUnits);
    used_ = std::clamp<int64_t>(used_ + units, 0, kMostUnits);
    // What is taken back may be of an earlier send than the late ones.
    if (now.wall >= ends_ - margin_) late_ = std::min(late_ + std::max<int64_t>(units, 0), kMostUnits);
    late_ = std::min(late_, used_);
}

int64_t DayWindow::used(const DayTime& now) {
    turn(now);
    return used_;
}

milliseconds DayWindow::resetIn(const DayTime& now) {
    turn(now);
    return between(now.wall, ends_ + margin_);
}

int64_t DayWindow::sendsUntil(const DayTime& now, WallTime until, int64_t per_send) {
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

DayWindow::Saved DayWindow::saved(const DayTime& now) {
    turn(now);
    return {begins_, used_, late_};
}

void DayWindow::restore(const DayTime& now, const DayTime& then, const Saved& saved) {
    DayWindow earlier(limit_, zone_, margin_);
    earlier.seen_ = then;
    earlier.begins_ = saved.day;
    earlier.ends_ = zone_.nextDayBegin(saved.day);
    earlier.used_ = std::clamp<int64_t>(saved.units, 0, kMostUnits);
    earlier.late_ = std::clamp<int64_t>(saved.late, 0, earlier.used_);
    earlier.turn(now);
    turn(now);
    used_ = std::max(used_, earlier.used_);
    late_ = std::max(late_, earlier.late_);
}

}  // namespace stepper::limits
