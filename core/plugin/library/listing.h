// A plugin as people are shown it.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "core/plugin/proving/conduct.h"

namespace stepper::plugin {

struct Listing {
    enum class State { Live, Probation, Retired, Rejected, Quarantined };
    State state = State::Live;
    std::filesystem::path file;
    std::string kind, version, sha256;  // what is unknown of a refused file is empty
    uint64_t generation = 0;            // of the snapshot it came with; 0: never in one
    int users = 0;                      // configured providers that still run it
    Conduct::Counts counts;
    std::string reason;
};
std::string_view name(Listing::State s);

}  // namespace stepper::plugin
