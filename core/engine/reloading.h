// What a running process can be asked about its configuration and plugins, and told to do with them.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/plugin/library/library.h"

namespace stepper::engine {

// How the last look at the files went.
struct ReloadReport {
    uint64_t generation = 0;            // of what is in force now
    std::vector<std::string> changes;   // sentences; empty: nothing changed
    std::vector<std::string> problems;  // why part or all of what the files say is not in force
    std::vector<std::string> restart;   // keys whose new values wait for a restart
    std::vector<std::string> files;     // that were read
    WallTime at{};
    milliseconds took{0};

    bool ok() const { return problems.empty(); }
};

// Safe from any thread.
class Reloading {
public:
    virtual ~Reloading() = default;
    // Looks at all files now and puts in force what they say. Overloaded when that has not ended by
    // `deadline`; it goes on.
    virtual Result<ReloadReport> reload(SteadyTime deadline) = 0;
    virtual ReloadReport last() const = 0;
    virtual std::vector<plugin::Listing> plugins() const = 0;
    // Lifts a quarantine and reloads. InvalidRequest when there was none.
    virtual Result<ReloadReport> release(const std::string& sha256, SteadyTime deadline) = 0;
};

}  // namespace stepper::engine
