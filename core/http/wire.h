// One connected socket with deadlines: every wait ends at a moment or when the server stops, whichever is
// first.
#pragma once
#include <atomic>
#include <span>
#include <string>
#include <string_view>

#include "core/http/http.h"

namespace stepper::http {

enum class Io { Ok, Closed, Timeout, Stopped };

// How a server ends, as all of its connections see it.
struct Ending {
    CancelSource closing{CancelReason::Draining};  // no further requests
    CancelSource expired{CancelReason::Draining};  // running ones must stop too
    CancelDescriptor closing_seen{closing}, expired_seen{expired};
    // When closing: until then what has begun to arrive may do so.
    std::atomic<SteadyTime> unsent_until{SteadyTime::max()};
};

// What is asked of a peer that we send to.
struct Pace {
    milliseconds stall;  // how long it may take nothing
    uint64_t min_rate;   // bytes per second that it must take beyond the first `stall`
};
inline Pace paceOf(const ServerOptions& options) { return {options.write_timeout, options.min_rate}; }

// Borrows a non-blocking socket and the sources. Used by the connection's thread only.
class Wire {
public:
    Wire(int fd, const Ending& ending) : fd_(fd), ending_(ending) {}

    int fd() const { return fd_; }
    // Until the first byte (or the end) of a next request. Bytes that are there win over closing.
    Io awaitRequest(SteadyTime until) const;
    // Appends 1 to `max` bytes. Once the server is closing it waits no longer than its patience with what is
    // unsent.
    Io receive(std::string& into, size_t max, SteadyTime until) const;
    // The same into as much room as there is, without taking memory.
    Io receive(std::span<char> into, size_t& size, SteadyTime until) const;
    // All of the pieces, at most kMostPieces.
    static constexpr size_t kMostPieces = 8;
    Io send(std::span<const std::string_view> pieces, const Pace& pace) const;
    Io send(std::string_view bytes, const Pace& pace) const { return send({&bytes, 1}, pace); }
    // Makes closing the connection a reset: the only way to say that a body which ends with it is not whole.
    void resetOnClose() const;
    // Ends our side and reads for a moment what the peer still sends: closing with unread bytes would reset
    // the connection and could take the response with it.
    void linger() const;

private:
    Io awaitMore(SteadyTime until) const;
    Io await(short events, SteadyTime until, const CancelDescriptor& stop) const;

    int fd_;
    const Ending& ending_;
};

}  // namespace stepper::http
