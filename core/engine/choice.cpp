#include "core/engine/choice.h"

#include <algorithm>
#include <limits>

namespace stepper::engine {
namespace {

using limits::Denial;
using limits::Readiness;

// An open circuit is waited for this long at most; a quota or a slot until the deadline.
constexpr milliseconds kMaxCircuitWait{2'000};

bool worthWaiting(const Readiness& r, SteadyTime now) {
    switch (*r.denied) {
        case Denial::RateLimited: return true;
        case Denial::CircuitOpen: return r.at <= now + kMaxCircuitWait;
        case Denial::Busy:
        case Denial::Disabled:
        case Denial::TooLarge: break;
    }
    return false;
}

bool within(const limits::Demand& small, const limits::Demand& large) {
    const auto most = [](const limits::Demand& d) {
        return d.max_tokens.value_or(std::numeric_limits<int64_t>::max());
    };
    return small.bytes <= large.bytes && most(small) <= most(large);
}

limits::Entry ask(limits::Gate& gate, const limits::Demand& demand, Denials* denials, Act act) {
    if (denials)
        if (const auto denial = denials->of(&gate, demand)) return {{}, *denial};
    auto entry = act == Act::Enter ? gate.tryEnter(demand) : limits::Entry{{}, gate.look(demand)};
    if (!entry.readiness && denials) denials->add(&gate, demand, entry.readiness);
    return entry;
}

}  // namespace

const Denials::Known* Denials::find(const limits::Gate* gate) const {
    const auto found = std::ranges::find(known_, gate, &Known::gate);
    return found == known_.end() ? nullptr : &*found;
}

std::optional<Readiness> Denials::of(const limits::Gate* gate, const limits::Demand& demand) const {
    const Known* known = find(gate);
    if (!known) return std::nullopt;
    if (demand.bytes > known->most_bytes) return Readiness{Denial::TooLarge, SteadyTime::max()};
    if (known->for_all) return known->for_all;
    if (known->busy_up_to && within(demand, *known->busy_up_to))
        return Readiness{Denial::Busy, SteadyTime::max(), SteadyTime::max(), true};
    if (known->last == demand) return known->of_last;
    return std::nullopt;
}

void Denials::add(const limits::Gate* gate, const limits::Demand& demand, const Readiness& denied) {
    auto* known = const_cast<Known*>(find(gate));
    if (!known) known = &known_.emplace_back(Known{gate});
    known->most_bytes = denied.most_bytes;
    if (denied.denied == Denial::TooLarge) return;
    if (!denied.tokens_count) {
        known->for_all = denied;
    } else if (denied.denied == Denial::Busy) {
        known->busy_up_to = demand;
    } else {
        known->last = demand;
        known->of_last = denied;
    }
}

Choice choose(std::span<const Candidate> candidates, const limits::Demand& demand, SteadyTime now,
              Denials* denials, Act act) {
    Choice out;
    for (size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& c = candidates[i];
        if (!c.pending) continue;
        if (c.not_before > now) {
            out.lookAt(c.not_before);
            break;
        }
        auto entry = ask(*c.gate, demand, denials, act);
        const Readiness& r = entry.readiness;
        if (r) {
            out.index = i;
            if (entry.pass) out.pass = *std::move(entry.pass);
            return out;
        }
        const SteadyTime comes = r.leave_helps ? r.at : r.at_best;
        out.busy = out.busy || r.leave_helps;
        out.look_again = std::min(out.look_again, r.at);
        if (worthWaiting(r, now)) out.lookAt(comes);
        const bool may_come = r.leave_helps || (r.denied != Denial::Disabled && comes <= c.hold_until);
        if (now >= c.hold_until || !may_come) continue;
        // Its patience may end before a call does.
        out.lookAt(r.leave_helps ? c.hold_until : comes);
        break;
    }
    return out;
}

}  // namespace stepper::engine
