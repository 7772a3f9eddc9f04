// What an operation works with while its transaction is open, and what is to be told once it is durable.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/store/sqlite/db.h"
#include "core/store/store.h"

namespace stepper::store::sqlite {

// Collected for the Listener.
struct Effects {
    std::vector<std::string> changed, revoked, answers;
    std::set<Lane> lanes;
};

// One moment, in ms: by the store's time, which is what is stored, and by the steady clock, which is for
// leases and for what the process works with.
struct Moment {
    int64_t now, steady;

    SteadyTime toSteady(int64_t stored) const { return SteadyTime{milliseconds{steady + stored - now}}; }
    int64_t toStored(SteadyTime t) const {
        return now + std::chrono::floor<milliseconds>(t.time_since_epoch()).count() - steady;
    }
};

struct Transaction : Moment {
    Db& db;
    Effects& effects;
};

inline int64_t steadyMs(SteadyTime t) {
    return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}

// A later moment; spans beyond a century do not overflow.
inline int64_t after(int64_t now, milliseconds span) {
    constexpr int64_t kCentury = int64_t{100} * 366 * 86'400'000;
    return now + std::clamp<int64_t>(span.count(), -kCentury, kCentury);
}

}  // namespace stepper::store::sqlite
