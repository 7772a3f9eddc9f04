// Cancellation as descriptors: every blocking wait polls them beside its own, so a cancel cuts it at once.
#pragma once
#include <array>
#include <chrono>
#include <string_view>

#include <poll.h>

#include "core/base/clock.h"

namespace stepper {

enum class CancelReason { None, ClientGone, Requested, Draining };
std::string_view name(CancelReason r);

// Something that can be cancelled once: a job, or the whole process. Owns an eventfd.
// cancel() may be called from any thread and from a signal handler.
class CancelSource {
public:
    explicit CancelSource(CancelReason reason);
    ~CancelSource();
    CancelSource(const CancelSource&) = delete;
    CancelSource& operator=(const CancelSource&) = delete;

    void cancel();
    int fd() const { return fd_; }
    CancelReason reason() const { return reason_; }

private:
    int fd_;
    CancelReason reason_;
};

// What one request listens to: up to two sources and the client's socket. Cheap to copy; borrows the sources
// and the socket, which must outlive it. Used by one thread at a time.
class CancelToken {
public:
    CancelToken() = default;
    void watch(const CancelSource& source);
    // Hang-up of this connected socket counts as ClientGone; bytes that arrive (a pipelined request) do not.
    void watchClient(int socket);

    // Why the work should stop, None while it should not. Does not block.
    CancelReason check();
    // Sleeps until then or until cancelled; returns the reason.
    CancelReason sleepUntil(SteadyTime until);

    // The descriptors to poll for POLLIN beside one's own; after any fires, call check().
    struct Descriptors {
        std::array<int, 3> fds{-1, -1, -1};
        size_t count = 0;
    };
    Descriptors descriptors() const;

private:
    std::array<const CancelSource*, 2> sources_{};
    int client_ = -1;
    CancelReason seen_ = CancelReason::None;
};

}  // namespace stepper
