// How the server ends. The signals that ask for it are taken by a thread that does nothing else, so that they
// count whatever the rest of the process waits for.
#pragma once
#include <condition_variable>
#include <memory>

#include "core/base/clock.h"

namespace stepper::app {

// Before the first thread: from here on signals are Ending's, or mean nothing. Those that would end a process
// although nobody asked for that (SIGUSR1, SIGALRM, SIGPIPE, ...) end nothing.
void takeSignals();

class Ending {
public:
    // Begins to listen; after takeSignals(). Throws std::system_error when there is no thread for it. Nothing
    // of it needs anything later: neither a thread nor a descriptor.
    static std::unique_ptr<Ending> prepare();

    // So long the process may take from when it is asked until it leaves, whatever still hangs; at first no
    // longer than its grace. Safe from any thread.
    void allow(milliseconds drain);

    enum class Asked { Nothing, Look, End };
    // Blocks until somebody asks for something, at most so long. SIGHUP asks for a look. For one thread.
    Asked wait(milliseconds at_most);
    // When the end was asked for.
    SteadyTime asked() const;

private:
    struct State;
    explicit Ending(std::shared_ptr<State> state) : state_(std::move(state)) {}
    const std::shared_ptr<State> state_;  // the thread's, too: it never ends
};

}  // namespace stepper::app
