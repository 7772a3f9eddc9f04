// Tells of what keeps happening at once, then ever more rarely, with how often it was: after a minute, two,
// four, up to an hour. After ten quiet minutes it is news again. Pure state machines, not synchronised.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"

namespace stepper {

class Recurrence {
public:
    // How often it happened since it was last told of; 0: that was a moment ago, so it is not told now.
    int64_t happened(SteadyTime now) {
        if (now - last_ >= kQuiet) pause_ = {};
        last_ = now;
        ++untold_;
        if (pause_.count() > 0 && now < tell_again_) return 0;
        pause_ = std::clamp(pause_ * 2, kShortest, kLongest);
        tell_again_ = now + pause_;
        return std::exchange(untold_, 0);
    }

private:
    static constexpr milliseconds kShortest{60'000}, kLongest{3'600'000}, kQuiet{600'000};

    SteadyTime last_{}, tell_again_{};
    milliseconds pause_{0};  // 0: it was never told
    int64_t untold_ = 0;
};

// One for each kind, so that none hides another. Each is kept: let there be few.
class Recurrences {
public:
    int64_t happened(std::string_view kind, SteadyTime now) {
        auto known = by_kind_.find(kind);
        if (known == by_kind_.end()) known = by_kind_.emplace(kind, Recurrence{}).first;
        return known->second.happened(now);
    }

private:
    std::map<std::string, Recurrence, std::less<>> by_kind_;
};

}  // namespace stepper
