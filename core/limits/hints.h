// What a provider says in its response headers about what is left of its limits. All of it is untrusted:
// absurd values are ignored. Pure.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"

namespace stepper::limits {

enum class Unit { Requests, Tokens };

// One limit as the provider tells it; whatever it does not tell is empty.
struct Allowance {
    Unit unit = Unit::Requests;
    std::optional<milliseconds> per;  // the window's length, where the name or the numbers tell it
    std::optional<int64_t> limit, remaining;
    std::optional<milliseconds> reset_in;  // until `remaining` is full again or a new window begins

    bool operator==(const Allowance&) const = default;
};

// `headers` have lower-case names, as the transport delivers them. `now` is the receiver's clock, for moments
// given as dates where the answer has no `date` of its own. Each allowance has a limit (1 to 10^12),
// something remaining (0 to 10^12) or both; windows and resets are at most 400 days. Of several limits on the
// tokens of one window (input, output, all) only the tightest is returned.
std::vector<Allowance> allowancesIn(const std::vector<std::pair<std::string, std::string>>& headers,
                                    WallTime now);

}  // namespace stepper::limits
