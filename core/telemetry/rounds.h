// What threads that go on for ever do about memory that is refused.
#pragma once
#include <new>
#include <string_view>

#include "core/telemetry/log.h"

namespace stepper {

// Does one round of a thread's work. False when there was no memory for it, which is logged; what the round
// had not done is the next one's.
template <class Work>
bool hasMemoryFor(std::string_view what, Work&& work) {
    try {
        work();
        return true;
    } catch (const std::bad_alloc&) {
        log::error("out of memory", {{"during", what}});
        return false;
    }
}

}  // namespace stepper
