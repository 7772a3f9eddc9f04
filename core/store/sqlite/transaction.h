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

struct Transaction {
    Db& db;
    Effects& effects;
    int64_t now;     // wall time in ms
    int64_t steady;  // steady time in ms, for leases
};

inline int64_t wallMs(WallTime t) {
    return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}
inline WallTime wallTime(int64_t ms) { return WallTime{milliseconds{ms}}; }
inline int64_t steadyMs(SteadyTime t) {
    return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}

inline SteadyTime steadyTime(int64_t ms) { return SteadyTime{milliseconds{ms}}; }

// A later moment; spans beyond a century do not overflow.
inline int64_t after(int64_t now, milliseconds span) {
    constexpr int64_t kCentury = int64_t{100} * 366 * 86'400'000;
    return now + std::clamp<int64_t>(span.count(), -kCentury, kCentury);
}

}  // namespace stepper::store::sqlite
