// One connected socket with deadlines: every wait ends at a moment or when the server stops, whichever is
// first.
#pragma once
#include <string>
#include <string_view>

#include "core/base/cancel.h"
#include "core/base/clock.h"

namespace stepper::http {

enum class Io { Ok, Closed, Timeout, Stopped };

// Borrows a non-blocking socket and the sources. Used by the connection's thread only.
class Wire {
public:
    // `closing` ends waits between requests, `expired` those within one.
    Wire(int fd, const CancelSource& closing, const CancelSource& expired)
        : fd_(fd), closing_(closing), expired_(expired) {}

    int fd() const { return fd_; }
    // Until the first byte (or the end) of a next request. Bytes that are there win over closing.
    Io awaitRequest(SteadyTime until) const;
    // Appends 1 to `max` bytes.
    Io receive(std::string& into, size_t max, SteadyTime until) const;
    // All of it; `stall` is how long the peer may take none of it.
    Io send(std::string_view bytes, milliseconds stall) const;
    // Makes closing the connection a reset: the only way to say that a body which ends with it is not whole.
    void resetOnClose() const;
    // Ends our side and reads for a moment what the peer still sends: closing with unread bytes would reset
    // the connection and could take the response with it.
    void linger() const;

private:
    Io await(short events, SteadyTime until, const CancelSource& stop) const;

    int fd_;
    const CancelSource& closing_;
    const CancelSource& expired_;
};

}  // namespace stepper::http
