// Which provider a request is sent to at this moment, if any, and whether there is something to wait for.
// Takes the provider's slot and nothing else; waits for nothing.
#pragma once
#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "core/limits/gate.h"

namespace stepper::engine {

// A provider a request may be sent to, in the order of its plan.
struct Candidate {
    limits::Gate* gate = nullptr;
    bool pending = true;      // it may be asked (again)
    SteadyTime not_before{};  // of a quick retry
    SteadyTime hold_until{};  // until then it is waited for rather than passed over
};

struct Choice {
    std::optional<size_t> index;  // the candidate that was entered, or was found to be ready
    limits::Pass pass;            // its slot, if it was entered
    // When none was ready: the soonest moment that is worth waiting for, max() when there is none; whether a
    // call's end could help; and when to look again in any case, as long as it waits for something.
    SteadyTime soonest = SteadyTime::max();
    bool busy = false;
    SteadyTime look_again = SteadyTime::max();
    // There is something to wait for that comes before `until`.
    bool hopeful(SteadyTime until) const { return busy || soonest < until; }
    // That moment is worth waiting for.
    void lookAt(SteadyTime at) {
        soonest = std::min(soonest, at);
        look_again = std::min(look_again, at);
    }
};

// What gates said a moment ago, so that a crowd of waiting requests does not ask every gate anew. A denial
// is applied to nobody whom it may not hold for. To be dropped as soon as time passes or a gate changes, but
// for a gate that was entered: who was denied before is denied now, though perhaps for longer.
class Denials {
public:
    // What holds for this request too, if that is known.
    std::optional<limits::Readiness> of(const limits::Gate* gate, const limits::Demand& demand) const;
    void add(const limits::Gate* gate, const limits::Demand& demand, const limits::Readiness& denied);

private:
    struct Known {
        const limits::Gate* gate;
        uint64_t most_bytes = limits::Readiness::kAnySize;
        std::optional<limits::Readiness> for_all = {};  // that are not too large
        std::optional<limits::Demand> busy_up_to = {};  // for that and any smaller request
        std::optional<limits::Demand> last = {};        // for exactly this one:
        limits::Readiness of_last = {};
    };
    const Known* find(const limits::Gate* gate) const;

    std::vector<Known> known_;
};

enum class Act { Enter, Look };

// The first candidate that is ready now. One that is not keeps those behind it from being taken until its
// hold_until, if it may be ready by then. An open circuit of one that is not held is worth waiting for only
// for moments. `denials` may be null; it is read and added to.
Choice choose(std::span<const Candidate> candidates, const limits::Demand& demand, SteadyTime now,
              Denials* denials, Act act = Act::Enter);

}  // namespace stepper::engine
