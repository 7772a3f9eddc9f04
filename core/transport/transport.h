// Calls to providers: one HTTP exchange at a time, pulled event by event, under hard deadlines.
//
// Nothing here throws but std::bad_alloc. Secrets in headers or URLs never reach an error text or a log.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace stepper::transport {

// How a 2xx body is cut into Data events. The values are the plugin ABI's.
enum class BodyMode : int32_t { Whole = 0, Raw = 1, Sse = 2, Lines = 3 };

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "POST";
    std::string url;  // http or https
    Headers headers;
    std::string body;
    BodyMode body_mode = BodyMode::Whole;
    // The proxy's URL; empty: no proxy; none: what the environment says. Loopback is always called directly.
    std::optional<std::string> proxy = {};

    SteadyTime deadline;                      // absolute, over everything
    milliseconds connect_timeout{10'000};     // name look-up, TCP and TLS together
    milliseconds first_byte_timeout{15'000};  // from the request sent to the first byte of the response
    milliseconds idle_timeout{30'000};        // between two bytes of the response
    uint64_t max_response_bytes = 8u << 20;   // decoded; over it the exchange fails

    // Called once, inside next(), when the last byte of the request has gone out; also when the exchange
    // fails on a connection the request may have reached. Never called: the server saw nothing of it.
    std::function<void()> on_sent = {};
};

// Non-2xx bodies arrive whole, cut off (not failed) at this many decoded bytes.
inline constexpr uint64_t kMaxErrorBodyBytes = 64u << 10;

struct HttpEvent {
    enum class Kind { Head, Data, End, Failed };
    Kind kind = Kind::End;
    int status = 0;                    // Head
    const Headers* headers = nullptr;  // Head: names in lower case, order kept; `date` is added when absent
    std::string_view data;             // Data: valid until the next call of next()
    std::string_view name;             // Data of an SSE body: the event's name
    Error error;  // Failed: Transport, Timeout, BadResponse, Cancelled; Internal as for open()
};

// One running exchange. next() blocks until something happened, at most until a deadline passes or the token
// is cancelled, and gives: Head, Data*, then End or Failed, once. Destroying it at any point closes what is
// open (a connection is reused only after End). Used by one thread at a time.
class Exchange {
public:
    virtual ~Exchange() = default;
    virtual HttpEvent next() = 0;
};

// Makes exchanges. Safe from any thread; must outlive its exchanges.
class Transport {
public:
    virtual ~Transport() = default;
    // Starts without blocking; what goes wrong later comes as Failed. The token is borrowed for the exchange.
    // InvalidRequest when the request cannot be sent at all (scheme, header syntax). Internal when this
    // machine refuses what it takes (descriptors, threads, memory): that says nothing of the peer.
    virtual Result<std::unique_ptr<Exchange>> open(HttpRequest request, CancelToken& cancel) = 0;
};

}  // namespace stepper::transport
