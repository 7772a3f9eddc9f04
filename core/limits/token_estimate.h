// What a request will take in tokens, guessed before it is sent and learned from what the provider reports.
// Pure; not synchronised (limits::Gate locks).
#pragma once
#include "core/limits/quotas.h"

namespace stepper::limits {

// What is known of a request beforehand.
struct Demand {
    uint64_t bytes = 0;                 // of all its texts
    std::optional<int64_t> max_tokens;  // that the answer may have

    bool operator==(const Demand&) const = default;
};

class TokenEstimate {
public:
    // On the high side: what is reserved too much comes back with the answer, what is missing is a 429.
    Cost of(const Demand& demand) const;
    // On the low side: how many bytes of text may at most be so many tokens. The answer is not counted, for
    // its limit is a ceiling and not a claim.
    uint64_t mostBytes(int64_t tokens) const;
    void learn(const Demand& demand, const Quotas::Actual& actual);

private:
    // Averages that follow the last dozens of answers, with their mean deviation. The first one counts whole.
    struct Average {
        double mean, deviation = 0;
        int count = 0;
        void add(double x);
        double high() const { return mean + 2 * deviation; }
        double low() const { return mean - 2 * deviation; }
    };
    Average tokens_per_byte_{1 / 3.6};
    Average answer_{512};
};

}  // namespace stepper::limits
