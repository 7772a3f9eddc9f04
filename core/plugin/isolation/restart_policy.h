// When a plugin's own process may be started again after a crash: a few times at once, then later and later.
// A pure decision over the times it is given; its owner locks.
#pragma once
#include "core/base/clock.h"

namespace stepper::plugin {

class RestartPolicy {
public:
    struct Options {
        int at_once = 3;
        milliseconds first_delay{500}, longest_delay{60'000};
        // So long without a crash, counted from when it might run again, and the crashes are forgotten.
        milliseconds forgiven_after{60'000};
    };

    explicit RestartPolicy(const Options& options) : options_(options) {}

    void crashed(SteadyTime now);
    // How long it has to wait still; zero: it may be started.
    milliseconds wait(SteadyTime now) const;

private:
    milliseconds delay() const;

    Options options_;
    int crashes_ = 0;
    SteadyTime allowed_{};
};

}  // namespace stepper::plugin
