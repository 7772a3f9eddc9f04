// A provider's quota: so many requests and tokens per window, enforced exactly. Time is passed in.
// Not locked: its instance guards it.
#pragma once
#include <deque>
#include <optional>

#include "tools/provider-sim/formats/format.h"

namespace stepper::sim {

enum class Window {
    Sliding,  // a request counts until `per` after it was admitted
    Fixed     // the counters return to zero every `per`, counted from the first request
};

struct QuotaRule {
    uint64_t requests = 0, tokens = 0;  // 0 is unlimited
    milliseconds per{60'000};
    Window window = Window::Sliding;
};

class Quota {
public:
    explicit Quota(const QuotaRule& rule) : rule_(rule) {}

    // Admits a request of that many prompt tokens, or says how long until it fits. A refusal costs nothing. A
    // request of more tokens than the whole quota waits for an empty window, and is refused even then.
    std::optional<SteadyTime::duration> admit(SteadyTime now, uint64_t tokens);
    // Charges an admitted request's answer, which may overdraw the window.
    void charge(SteadyTime now, uint64_t tokens);

    Allowances left(SteadyTime now);

private:
    struct Spent {
        SteadyTime at;
        uint64_t requests, tokens;
    };
    void expire(SteadyTime now);
    SteadyTime expiry(const Spent& spent) const;

    QuotaRule rule_;
    std::deque<Spent> spent_;  // of the current window, oldest first
    uint64_t requests_ = 0, tokens_ = 0;
    std::optional<SteadyTime> origin_;
};

}  // namespace stepper::sim
