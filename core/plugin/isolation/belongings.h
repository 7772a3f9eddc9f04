// What a process had before foreign code ran in it, and puts back where that code took it. On one thread.
#pragma once
#include <array>
#include <cfenv>
#include <csignal>
#include <string>

#include <sys/resource.h>

#include "core/plugin/isolation/process_state.h"

namespace stepper::plugin {

class Belongings {
public:
    // Notes what there is now.
    Belongings();
    // Sentences on what has changed since, "" when nothing has. What can be put back has been: the signals,
    // environment, working directory, umask, locale and standard streams that the process had before the
    // first Belongings were noted, for somebody else may have changed them since; timers, which are off; and
    // the mask, arithmetic and limits that were noted.
    std::string putRight() const;

private:
    void putBack() const;

    ProcessState state_ = ProcessState::shared();
    sigset_t blocked_{};
    std::array<rlimit, RLIM_NLIMITS> limits_{};
    std::fenv_t arithmetic_{};
};

// Makes descriptors 0 to 2 what they were when the first Belongings were noted. True when one was not.
bool restoreStandardStreams();

}  // namespace stepper::plugin
