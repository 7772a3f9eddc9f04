// Runs a plugin's code in a forked copy of this process: what it does to that one is told instead of
// suffered. For programs with one thread.
#pragma once
#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace stepper::app {

struct Guarded {
    int passed = 0, failed = 0;  // as the copy counted them
    // When `body` did not return: where it was, and how it ended there, such as "crashed with signal 11 on
    // ...".
    std::string stage, death;
};

// What the copy says of its progress, in memory that both see.
class Progress {
public:
    // It is now at `stage`, doing `what`; cut off at some hundred bytes. Every call proves that it is alive.
    void tell(std::string_view stage, std::string_view what);
    int passed = 0, failed = 0;

private:
    friend Guarded runGuarded(milliseconds, const std::function<void(Progress&)>&);
    char stage_[64] = {}, what_[4096] = {};
    std::atomic<uint64_t> beats_{0};
    bool returned_ = false;
};

// Blocks until `body` has returned or died, and ends it when it says nothing for `patience`. Standard output
// is flushed before and after.
Guarded runGuarded(milliseconds patience, const std::function<void(Progress&)>& body);

}  // namespace stepper::app
