// A child process of this program and the socket to it. Not safe for several threads.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/base/clock.h"
#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace stepper::plugin {

class ChildProcess {
public:
    // The child's end of the socket. Of our other descriptors it has standard error alone.
    static constexpr int kSocket = 3;

    // Starts command[0] with nothing of our environment: a plugin must not see the keys in it. Error:
    // Internal.
    static Result<std::unique_ptr<ChildProcess>> spawn(std::vector<std::string> command);
    // As end(0).
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    int socket() const { return socket_.get(); }
    // Closes the socket, waits up to `grace` for the child to leave, then ends it. How it ended: "crashed in
    // its own process (signal 11)". Once.
    std::string end(milliseconds grace);

private:
    ChildProcess(pid_t pid, Descriptor socket) : pid_(pid), socket_(std::move(socket)) {}
    bool leaves(milliseconds grace) const;

    pid_t pid_;
    Descriptor socket_;
};

}  // namespace stepper::plugin
