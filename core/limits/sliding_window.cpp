#include "core/limits/sliding_window.h"

#include <algorithm>
#include <new>

#include "core/base/result.h"

namespace stepper::limits {
namespace {

// So many sends are as good as no limit; keeps sums of them in range.
constexpr int64_t kMany = 1'000'000'000'000'000;

}  // namespace

SlidingWindow::SlidingWindow(int64_t limit, milliseconds length, milliseconds margin)
    : limit_(limit), length_(length), margin_(margin), step_(Duration(length) / 1000) {
    STEPPER_ASSERT(limit >= 1 && length.count() > 0 && margin.count() >= 0);
}

SteadyTime SlidingWindow::readyAt(SteadyTime now, int64_t cost) {
    expire(now);
    int64_t missing = sent_ + reserved_ + std::min(cost, limit_) - limit_;
    if (missing <= 0) return now;
    for (const Mark& mark : marks_) {
        missing -= mark.units;
        if (missing <= 0) return freeAt(mark.at);
    }
    return freeAt(stampOf(now));
}

void SlidingWindow::reserve(int64_t cost) { reserved_ += cost; }

void SlidingWindow::release(int64_t cost) { reserved_ -= cost; }

void SlidingWindow::sent(SteadyTime at, int64_t cost) {
    reserved_ -= cost;
    adjust(at, cost);
}

void SlidingWindow::adjust(SteadyTime at, int64_t delta) {
    const SteadyTime stamp = stampOf(at);
    auto mark = std::ranges::lower_bound(marks_, stamp, {}, &Mark::at);
    if (mark == marks_.end() || mark->at != stamp) {
        if (delta <= 0) return;
        mark = insert(mark, stamp);
        if (mark == marks_.end()) return;
    }
    const int64_t change = std::max(delta, -mark->units);
    mark->units += change;
    sent_ += change;
    if (mark->units == 0) marks_.erase(mark);
}

SlidingWindow::Marks::iterator SlidingWindow::insert(Marks::iterator next, SteadyTime stamp) {
    const auto index = next - marks_.begin();
    try {
        // Into an empty deque insert() puts things at the front, for which it always takes memory.
        if (next != marks_.end()) return marks_.insert(next, {stamp, 0});
        marks_.push_back({stamp, 0});
        return std::prev(marks_.end());
    } catch (const std::bad_alloc&) {
    }
    // Rather too late than too early.
    const auto later = marks_.begin() + index;
    if (later != marks_.end() || marks_.empty()) return later;
    marks_.back().at = stamp;
    return std::prev(later);
}

int64_t SlidingWindow::used(SteadyTime now) {
    expire(now);
    return sent_ + reserved_;
}

SteadyTime SlidingWindow::emptyAt(SteadyTime now) {
    expire(now);
    if (reserved_ > 0) return freeAt(stampOf(now));
    return marks_.empty() ? now : freeAt(marks_.back().at);
}

// In the first turn sends go out as what is used now gets free. After it they are all there is, and each
// makes room for its own successor.
int64_t SlidingWindow::sendsUntil(SteadyTime now, SteadyTime until, int64_t per_send) {
    expire(now);
    const int64_t units = std::clamp<int64_t>(per_send, 1, limit_);
    int64_t free = limit_ - sent_ - reserved_;
    int64_t sends = 0;
    const auto sendAt = [&](SteadyTime first) {
        const int64_t fitting = std::max<int64_t>(free, 0) / units;
        if (fitting == 0) return;
        free -= fitting * units;
        sends += fitting * std::min(turns(first, until), kMany / fitting);
    };
    sendAt(now);
    for (const Mark& mark : marks_) {
        free += mark.units;
        sendAt(freeAt(mark.at));
    }
    free += reserved_;
    sendAt(freeAt(stampOf(now)));
    return sends;
}

std::vector<SlidingWindow::Mark> SlidingWindow::marks(SteadyTime now) {
    expire(now);
    return {marks_.begin(), marks_.end()};
}

void SlidingWindow::expire(SteadyTime now) {
    while (!marks_.empty() && freeAt(marks_.front().at) <= now) {
        sent_ -= marks_.front().units;
        marks_.pop_front();
    }
}

SlidingWindow::Duration SlidingWindow::inSteps(Duration d) const { return d + (step_ - d % step_) % step_; }

SteadyTime SlidingWindow::stampOf(SteadyTime t) const { return SteadyTime{inSteps(t.time_since_epoch())}; }

SteadyTime SlidingWindow::freeAt(SteadyTime stamp) const { return stamp + length_ + margin_; }

// How often a slot that is used first at `first`, and again as soon as it is free, is used until then.
int64_t SlidingWindow::turns(SteadyTime first, SteadyTime until) const {
    if (first > until) return 0;
    const SteadyTime second = freeAt(stampOf(first));
    if (second > until) return 1;
    return 2 + (until - second) / inSteps(length_ + margin_);
}

}  // namespace stepper::limits
