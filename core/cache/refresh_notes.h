// Which keys were lately said to need a refresh, so that a storm of hits says it once. Safe from any thread.
#pragma once
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "core/base/clock.h"

namespace stepper::cache {

class RefreshNotes {
public:
    // The clock must outlive it.
    explicit RefreshNotes(const Clock& clock) : clock_(clock) {}

    // True once per key and 10 s. False for everybody while some thousand keys are noted: that is work
    // enough.
    bool first(const std::string& key);
    void forget(const std::string& key);

private:
    struct Note {
        SteadyTime at;
        std::string key;
    };

    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, SteadyTime> noted_;
    std::deque<Note> order_;  // oldest first; outlives what forget() takes from `noted_`
};

}  // namespace stepper::cache
