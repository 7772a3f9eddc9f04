#include "core/store/store_time.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

namespace stepper::store {
namespace {

// Both clocks go at the same speed. Differences of less come from reading one after the other.
constexpr int64_t kSetBy = 1'000;
constexpr int64_t kKeepEvery = 60'000;

struct Reading {
    int64_t uptime, wall;
};

// Of one moment: a thread that was stopped in between reads again.
Reading read(const Clock& clock) {
    constexpr int64_t kOneMoment = 50;
    for (int tries = 1;; ++tries) {
        const int64_t before = clock.uptime().count();
        const int64_t wall = std::chrono::floor<milliseconds>(clock.wall()).time_since_epoch().count();
        const int64_t after = clock.uptime().count();
        if (after - before <= kOneMoment || tries == 3) return {before, wall};
    }
}

struct Kept {
    int64_t time, uptime, wall;
    std::string boot;
};

std::optional<Kept> parse(std::string_view text) {
    std::istringstream in{std::string(text)};
    Kept kept{};
    if (!(in >> kept.time >> kept.uptime >> kept.wall)) return std::nullopt;
    in >> kept.boot;
    return kept;
}

}  // namespace

StoreTime::StoreTime(const Clock& clock, std::string_view text) : clock_(clock) {
    const Reading now = read(clock);
    const auto kept = parse(text);
    if (!kept) {
        ahead_ = now.wall - now.uptime;
        return;
    }
    const bool same_boot = !kept->boot.empty() && kept->boot == clock.boot() && now.uptime >= kept->uptime;
    const int64_t passed =
        same_boot ? now.uptime - kept->uptime : std::max<int64_t>(now.wall - kept->wall, 0);
    ahead_ = kept->time + passed - now.uptime;
    to_wall_ = kept->wall - kept->time;
    toWall();
    // Also within one start of the machine: what was kept may come from this floor, not from the wall clock.
    least_to_wall_ = kept->wall - kept->time;
}

int64_t StoreTime::now() const { return clock_.uptime().count() + ahead_; }

milliseconds StoreTime::toWall() const {
    const Reading reading = read(clock_);
    const int64_t is = reading.wall - reading.uptime - ahead_;
    if (std::abs(is - to_wall_) > kSetBy) {
        to_wall_ = is;
        least_to_wall_ = kNone;
    }
    return milliseconds{to_wall_};
}

void StoreTime::show(Job& job) const {
    const milliseconds shift = toWall();
    job.created += shift;
    job.updated += shift;
    if (job.run_at) *job.run_at += shift;
    if (job.finished) *job.finished += shift;
}

std::string StoreTime::toKeep() {
    const Reading reading = read(clock_);
    const int64_t time = reading.uptime + ahead_;
    const int64_t to_wall = toWall().count();
    if (kept_once_ && time - kept_at_ < kKeepEvery && to_wall == kept_to_wall_) return {};
    keeping_to_wall_ = to_wall;
    std::ostringstream out;
    out << time << ' ' << reading.uptime << ' ' << time + std::max<int64_t>(to_wall, least_to_wall_) << ' '
        << clock_.boot();
    return out.str();
}

void StoreTime::kept() {
    kept_once_ = true;
    kept_at_ = now();
    kept_to_wall_ = keeping_to_wall_;
}

}  // namespace stepper::store
