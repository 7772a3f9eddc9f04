// A circuit breaker for one provider and model: a pure state machine; every call is given the time. Not
// synchronised (limits::Gate locks).
//
// Closed: everybody enters. A failure opens it when the last `window` has at least `min_calls` outcomes of
// which at least `failure_rate` failed, or when the provider could not be reached `consecutive` times in a
// row (any answer ends that row, Neutral leaves it). A success never opens it.
// Open: nobody enters for open_for * 2^(opens in a row - 1), at most max_open_for, +-20 % jitter; ten minutes
// closed end the row of opens.
// Half-open: one probe at a time; `probes` successes close it, a failure opens it again. A probe that does
// not report within `probe_lease` loses its place; its outcome still counts until the next probe enters.
// Outcomes of calls that entered before the last change of state, or that lost their place, are dropped.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/base/clock.h"

namespace stepper::limits {

struct BreakerOptions {
    milliseconds window{60'000};  // > 0
    int min_calls = 10;
    double failure_rate = 0.5;  // at least this opens it
    int consecutive = 5;
    milliseconds open_for{15'000}, max_open_for{300'000};
    int probes = 2;
    milliseconds probe_lease{61'000};
};

class Breaker {
public:
    enum class State { Closed, Open, HalfOpen };
    // Failed: the provider answered, badly. Unreachable: it did not answer. Neutral says nothing about the
    // provider: its permit is given back and nothing is counted.
    enum class Outcome { Ok, Failed, Unreachable, Neutral };
    struct Pass {
        uint64_t generation = 0;
    };
    struct Counts {
        int ok = 0, failed = 0;  // failed: Unreachable too
    };

    // `chance` gives numbers in [0, 1).
    Breaker(BreakerOptions options, std::function<double()> chance);

    // When somebody may enter: `now` if at once, otherwise the soonest moment it could change by itself (a
    // probe that reports may change it sooner).
    SteadyTime readyAt(SteadyTime now);
    // Only when readyAt(now) <= now.
    Pass enter(SteadyTime now);
    void leave(SteadyTime now, Pass pass, Outcome outcome);

    State state(SteadyTime now);
    // What was counted in the last `window`, give or take a tenth: since it closed, since it went half-open,
    // or, while open, what opened it.
    Counts counts(SteadyTime now);
    int unreachableInRow() const { return unreachable_in_row_; }
    // State, open time and probe stay as they are; another `window` forgets the counts.
    void reconfigure(BreakerOptions options);

private:
    // Outcomes in ten buckets, the newest being the one that time is in.
    class Window {
    public:
        explicit Window(milliseconds length);
        void add(SteadyTime now, bool ok);
        Counts counts(SteadyTime now);

    private:
        void expire(SteadyTime now);

        static constexpr int kBuckets = 10;
        SteadyTime::duration bucket_length_;
        int64_t newest_ = 0;  // bucket lengths since the clock's zero
        std::array<Counts, kBuckets> buckets_{};
        Counts total_;
    };

    void settle(SteadyTime now);
    void change(State next);
    void close(SteadyTime now);
    void open(SteadyTime now);
    milliseconds openTime() const;
    bool tooManyFailures(SteadyTime now);

    BreakerOptions options_;
    std::function<double()> chance_;
    Window window_;
    State state_ = State::Closed;
    uint64_t generation_ = 1;
    int unreachable_in_row_ = 0, opens_in_row_ = 0, probes_ok_ = 0;
    SteadyTime closed_at_{}, open_until_{};
    std::optional<SteadyTime> lease_end_;  // of the probe under way
};

}  // namespace stepper::limits
