// Fuzzes a configured provider: legal sequences of events with random content. A crash takes the caller with
// it, so run it in a process that may die.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/plugin/abi/session.h"

namespace stepper::plugin {

// Longer steps are a bug, or worth a word: no thread of the host does anything else meanwhile.
inline constexpr milliseconds kSlowestStep{100}, kNotableStep{10};

struct Fuzzing {
    uint64_t seed = 1;                     // of the first session; the next one takes the next number
    SteadyTime until;                      // begins no session after it; there is always one
    std::vector<std::string> corpus = {};  // bodies the plugin understands, to be mutated
    // Told before every call into the plugin what has happened in this session so far:
    // "seed 7, events: BEGIN ...; START".
    std::function<void(std::string_view trail)> listener = {};
};

struct FuzzReport {
    uint64_t sessions = 0, events = 0;
    std::chrono::nanoseconds slowest{0};  // step
    std::string slowest_event;
};

// Config error with the seed, the events and the reason when the plugin breaks the ABI, reports a bug of its
// own, does not come to an end, or takes longer than kSlowestStep for the same step three times.
Result<FuzzReport> fuzz(const std::shared_ptr<const Provider>& provider, const Fuzzing& how);

}  // namespace stepper::plugin
