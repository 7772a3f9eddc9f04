// The control API below /_sim/: how tests write behaviours and read what happened. Any thread.
#pragma once
#include "tools/provider-sim/simulator.h"

namespace stepper::sim {

// Answers a control request. `blackhole` is the address whose connections never come about, "" without one.
Reply control(Simulator& simulator, const Call& call, std::string_view blackhole);

inline constexpr std::string_view kControlPrefix = "/_sim/";

}  // namespace stepper::sim
