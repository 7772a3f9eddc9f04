// When a queued request is to be run: `runAt` and `delaySeconds`. Pure; errors are InvalidRequest.
#pragma once
#include <optional>

#include "core/base/clock.h"
#include "core/base/json.h"

namespace stepper::api {

inline constexpr std::chrono::hours kLongestDelay{30 * 24};

struct Start {
    std::optional<WallTime> at = {};
    milliseconds in{0};

    bool isNow() const { return !at && in <= milliseconds{0}; }
};

// Reads both members.
Result<Start> readStart(const json::Value& body);

// How long that is from `now`, 0 for at once; or why it cannot be. A moment that has just passed is now:
// clocks of two machines differ.
Result<milliseconds> delayUntil(const Start& start, WallTime now);

}  // namespace stepper::api
