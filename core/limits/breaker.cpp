#include "core/limits/breaker.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/result.h"

namespace stepper::limits {
namespace {

constexpr milliseconds kCalm = std::chrono::minutes{10};  // closed so long, it starts over

}  // namespace

Breaker::Window::Window(milliseconds length) : bucket_length_(SteadyTime::duration{length} / kBuckets) {
    STEPPER_ASSERT(bucket_length_.count() > 0);
}

void Breaker::Window::add(SteadyTime now, bool ok) {
    expire(now);
    Counts& bucket = buckets_[newest_ % kBuckets];
    ++(ok ? bucket.ok : bucket.failed);
    ++(ok ? total_.ok : total_.failed);
}

Breaker::Counts Breaker::Window::counts(SteadyTime now) {
    expire(now);
    return total_;
}

void Breaker::Window::expire(SteadyTime now) {
    const int64_t current = now.time_since_epoch() / bucket_length_;
    // After a long silence every bucket is emptied once, not once for every length of the silence.
    newest_ = std::max(newest_, current - kBuckets);
    while (newest_ < current) {
        Counts& bucket = buckets_[++newest_ % kBuckets];
        total_.ok -= bucket.ok;
        total_.failed -= bucket.failed;
        bucket = {};
    }
}

Breaker::Breaker(BreakerOptions options, std::function<double()> chance)
    : options_(options), chance_(std::move(chance)), window_(options.window) {}

SteadyTime Breaker::readyAt(SteadyTime now) {
    settle(now);
    if (state_ == State::Open) return open_until_;
    return std::max(now, lease_end_.value_or(now));
}

Breaker::Pass Breaker::enter(SteadyTime now) {
    STEPPER_ASSERT(readyAt(now) <= now);
    if (state_ == State::HalfOpen) {
        // A new generation, so that the probe whose lease ran out cannot report in this one's place.
        ++generation_;
        lease_end_ = now + options_.probe_lease;
    }
    return {generation_};
}

void Breaker::leave(SteadyTime now, Pass pass, Outcome outcome) {
    settle(now);
    if (pass.generation != generation_) return;
    if (state_ == State::HalfOpen && !std::exchange(lease_end_, std::nullopt)) return;
    if (outcome == Outcome::Neutral) return;

    const bool ok = outcome == Outcome::Ok;
    window_.add(now, ok);
    unreachable_in_row_ = outcome == Outcome::Unreachable ? unreachable_in_row_ + 1 : 0;
    if (ok) {
        if (state_ == State::HalfOpen && ++probes_ok_ >= options_.probes) close(now);
        return;
    }
    if (state_ == State::HalfOpen || tooManyFailures(now)) open(now);
}

Breaker::State Breaker::state(SteadyTime now) {
    settle(now);
    return state_;
}

Breaker::Counts Breaker::counts(SteadyTime now) {
    settle(now);
    return window_.counts(now);
}

void Breaker::reconfigure(BreakerOptions options) {
    if (options.window != options_.window) window_ = Window(options.window);
    options_ = options;
}

void Breaker::settle(SteadyTime now) {
    if (state_ != State::Open || now < open_until_) return;
    change(State::HalfOpen);
    probes_ok_ = 0;
}

void Breaker::change(State next) {
    state_ = next;
    ++generation_;
    // While it is open, people want to see what opened it.
    if (next != State::Open) window_ = Window(options_.window);
}

void Breaker::close(SteadyTime now) {
    change(State::Closed);
    closed_at_ = now;
}

void Breaker::open(SteadyTime now) {
    if (state_ == State::Closed && now - closed_at_ >= kCalm) opens_in_row_ = 0;
    ++opens_in_row_;
    change(State::Open);
    open_until_ = now + openTime();
}

milliseconds Breaker::openTime() const {
    const double grown = std::ldexp(static_cast<double>(options_.open_for.count()), opens_in_row_ - 1);
    const double capped = std::min(grown, static_cast<double>(options_.max_open_for.count()));
    return milliseconds{std::llround(capped * (0.8 + 0.4 * chance_()))};
}

bool Breaker::tooManyFailures(SteadyTime now) {
    if (unreachable_in_row_ >= options_.consecutive) return true;
    const Counts seen = window_.counts(now);
    const int all = seen.ok + seen.failed;
    return all >= options_.min_calls && static_cast<double>(seen.failed) / all >= options_.failure_rate;
}

}  // namespace stepper::limits
