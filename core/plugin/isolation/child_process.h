// A child process of this program, which runs foreign code. Not safe for several threads.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace stepper::plugin {

class ChildProcess {
public:
    // Our descriptor `ours` becomes the child's `theirs`. The `theirs` of all follow on each other, 0 to 2
    // aside.
    struct Handover {
        int ours, theirs;
    };
    // Whether what a supervisor sends to end all of us ends the child as well, or it stays until the host
    // lets it go. What a terminal sends does not reach it.
    enum class Ends { WithSignals, WithHost };

    // Starts command[0] with nothing of our environment: a plugin must not see the keys in it. Without a
    // handover for them its standard input and output are empty and its standard error is ours. Error:
    // Overloaded, saying why there is no process.
    static Result<ChildProcess> spawn(std::vector<std::string> command, std::span<const Handover> descriptors,
                                      Ends ends);
    // Ends it at once.
    ~ChildProcess() { end({}); }
    ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
    ChildProcess& operator=(ChildProcess&&) = delete;

    // Waits until then for the child to leave, and kills it if it does not: the status as waitpid has it,
    // none when it was killed or has been ended before. Whatever it started ends with it.
    std::optional<int> end(SteadyTime until);
    // It has left, or somebody has killed it; it still has to be ended.
    bool hasLeft() const;

    // Ends what foreign code started and left running: in children that have ended, or in this process. How
    // many there were. Safe from any thread.
    static int endStrays();

private:
    explicit ChildProcess(pid_t pid) : pid_(pid) {}
    bool leaves(SteadyTime until) const;

    pid_t pid_;  // 0: ended
};

}  // namespace stepper::plugin
