// When a queued request is to be run: `runAt` and `delaySeconds`. Pure.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "core/base/clock.h"
#include "core/base/json.h"

namespace stepper::api {

inline constexpr std::chrono::hours kLongestDelay{30 * 24};

struct Start {
    std::optional<WallTime> at;
    milliseconds in{0};

    bool isNow() const { return !at && in <= milliseconds{0}; }
};

// Reads both members; the first problem, as a sentence.
std::optional<std::string> readStart(const json::Value& body, Start& out);

// How long that is from `now`, 0 for at once; or the sentence that says why it cannot be. A moment that has
// just passed is now: clocks of two machines differ.
std::variant<milliseconds, std::string> delayUntil(const Start& start, WallTime now);

}  // namespace stepper::api
