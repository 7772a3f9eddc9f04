// Cuts the bytes of one connection into requests, within their limits and deadlines.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "core/http/chunked.h"
#include "core/http/head.h"
#include "core/http/idle_connections.h"
#include "core/http/wire.h"

namespace stepper::http {

// Used by the connection's thread only. Borrows what it is made with.
class RequestReader {
public:
    RequestReader(const Wire& wire, const ServerOptions& options, IdleConnections& idle)
        : wire_(wire), options_(options), idle_(idle) {}

    // False when none came in time, the server is closing or somebody else needs the place. A pipelined one
    // is there already.
    bool awaitRequest();
    // The next head; none when the client left without sending one.
    std::optional<std::variant<Reject, Head>> readHead();

    // The current request's body, "" if it has none, counted in `held`; a client that asked is told to go on
    // first.
    std::optional<Reject> readBody(std::string& out, uint64_t max_body, ByteBudget::Share& held);
    // Whether the rest of the current request is cheap enough to read past for the sake of the connection.
    bool canSkipBody() const;
    bool skipBody();

    // Whether closing now would leave bytes unread.
    bool hasUnread() const { return body_pending_ || !buffer_.empty(); }

private:
    std::optional<Reject> readSized(std::string& out, SteadyTime until, ByteBudget::Share& held);
    std::optional<Reject> readChunked(std::string& out, uint64_t max_body, SteadyTime until,
                                      ByteBudget::Share& held);

    const Wire& wire_;
    const ServerOptions& options_;
    IdleConnections& idle_;
    std::string buffer_;  // received, not yet used
    bool body_pending_ = false;
    bool expect_continue_ = false;
    bool chunked_ = false;
    uint64_t content_length_ = 0;
};

}  // namespace stepper::http
