// How long a provider's answers took lately. Pure; not synchronised (limits::Gate locks).
#pragma once
#include <array>
#include <optional>

#include "core/base/clock.h"

namespace stepper::limits {

class Latency {
public:
    void add(SteadyTime now, milliseconds took);
    // The share `q` of (0, 1] of the answers of the last 15 minutes, 64 at most, took no longer; none when
    // there were none: a provider that was slow once is given another chance.
    std::optional<milliseconds> quantile(SteadyTime now, double q) const;

private:
    struct Sample {
        SteadyTime at;
        milliseconds took;
    };
    std::array<Sample, 64> samples_{};
    size_t count_ = 0;  // ever added
};

}  // namespace stepper::limits
