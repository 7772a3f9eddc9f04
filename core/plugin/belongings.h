// What a process had before foreign code ran in it, and puts back where that code took it. On one thread.
#pragma once
#include <array>
#include <cfenv>
#include <csignal>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/time.h>

#include "core/plugin/process_state.h"

namespace stepper::plugin {

class Belongings {
public:
    // Notes what there is now.
    Belongings();
    // Sentences on what has changed since, "" when nothing has. What can be put back has been: standard
    // streams, signals, timers, environment, working directory, umask, locale, arithmetic, soft limits.
    std::string putRight() const;

private:
    void putBack() const;

    ProcessState state_ = ProcessState::shared();
    std::array<struct sigaction, NSIG> actions_{};
    sigset_t blocked_{};
    std::array<rlimit, RLIM_NLIMITS> limits_{};
    std::fenv_t arithmetic_{};
    std::string folder_, locale_;
    std::vector<std::string> environment_;
};

// Makes descriptors 0 to 2 what they were when the first Belongings were noted. True when one was not.
bool restoreStandardStreams();

}  // namespace stepper::plugin
