// The HTTP front: guarded sockets, routing, limits and one catch-all, on Poco::Net::HTTPServer.
//
// Handlers see plain values and know nothing of Poco. Each request runs on its own thread, start to end.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/trusted_proxies.h"
#include "core/http/byte_budget.h"

namespace stepper::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Who may call a route, and what somebody is by the key that was asked for.
enum class Role {
    Anybody,  // what monitors ask: no key is needed, unless the configuration wants one of them, too
    Client,
    Admin,
};

// Who sent a request, as far as is known.
struct Caller {
    Role role = Role::Anybody;
    std::string address;  // the connection's, or what a trusted proxy says is behind it
};

// A parsed request. Valid until its response is written.
struct Request {
    std::string method;
    std::string path;                                         // percent-decoded, without the query
    std::vector<std::pair<std::string, std::string>> query;   // decoded, in order
    std::vector<std::pair<std::string, std::string>> params;  // what {name} in the route's pattern matched
    Headers headers;                                          // names in lower case, once each
    std::string body;
    std::string id;  // X-Request-Id: the client's if it was well-formed, else ours
    Caller caller;
    std::string server_ip;  // the address the client, or a proxy before us, connected to
    SteadyTime received;
    CancelToken* cancel = nullptr;  // fires when the client goes away or the drain runs out of time

    // Of several lines of that name: their values with commas between; "" when there is none.
    std::string_view header(std::string_view lower_name) const;
    std::optional<std::string_view> queryValue(std::string_view key) const;
    std::string_view param(std::string_view key) const;
};

// Where a streamed body goes. Valid, and used on the request's thread, during the call it is given to.
class Stream {
public:
    virtual ~Stream() = default;
    // Hands the pieces, at most kMostPieces, to the kernel as one, waiting for a slow client. False when the
    // client is gone, took nothing for write_timeout or less than min_rate, or when the server must stop; all
    // later writes fail too.
    static constexpr size_t kMostPieces = 4;
    virtual bool write(std::span<const std::string_view> pieces) = 0;
    bool write(std::string_view bytes) { return write({&bytes, 1}); }
    // The request's. To wait for something else as well, watch it with a copy.
    virtual CancelToken& cancel() = 0;
};

// Framing, X-Request-Id and the security headers are added when it is written.
struct Response {
    int status = 200;
    std::string content_type = "application/json; charset=utf-8";
    Headers headers{};
    std::string body{};
    // The body in place of `body`: held once for all clients that are sent the same, however slow they are.
    // Whoever made it counts it in the server's budget.
    std::shared_ptr<const std::string> shared{};
    // It can be asked for again, at no cost: a 503 takes its place when the server's budget is used up. So it
    // is with every answer to GET.
    bool repeatable = false;
    // Writes the body in place of `body`, after the head was sent; not called for HEAD. When it throws, a
    // write fails or the request is cancelled, the connection is closed such that the client sees a cut, not
    // an end.
    std::function<void(Stream&)> stream{};
    // The stream tells of things as they happen: each write has the time of a whole response. All writes of
    // any other together have no more.
    bool live = false;
    // What the access log should tell of it, beside what it always does.
    std::string story{};
    // Called once when all of the response was handed to the kernel; never when that failed, nor for HEAD.
    std::function<void()> delivered{};

    std::string_view bytes() const { return shared ? *shared : body; }

    static Response json(int status, std::string body);
    // {"error": error, ["message": message,] "errorCode": code, "requestId": request_id}
    static Response error(int status, std::string_view code, std::string_view error,
                          std::string_view request_id, std::string_view message = {});
    // 503: the same, with a Retry-After of so long.
    static Response unavailable(std::string_view code, std::string_view message, std::string_view request_id,
                                std::chrono::seconds retry_after = std::chrono::seconds{1});
};

using Handler = std::function<Response(const Request&)>;

// Whether a route's body must be JSON (another Content-Type: 415; none at all: the body counts as empty) or
// none is read.
enum class Body { None, Json };

struct Route {
    std::string method;   // "GET"; HEAD is answered by GET routes, OPTIONS by the router
    std::string pattern;  // "/v1/jobs/{id}"
    std::string about;    // in a line, for people
    Body body = Body::None;
    Role role = Role::Client;
    Handler handler;
};

struct ServerOptions {
    std::string host = "127.0.0.1";
    uint16_t port = 0;
    int max_connections = 4096;  // at that number the one that waits longest for a request makes room
    uint64_t max_body = 10u << 20;
    uint64_t max_head =
        16u << 10;  // request line and headers together; over it 431 (the line alone: 8 KiB, 414)
    milliseconds head_timeout{10'000};  // absolute, from the first byte of a request
    milliseconds body_timeout{60'000};  // absolute
    // How long a connection is promised to wait for a request; it is closed a little later, since the client
    // learns of that later still. 0: every connection ends with its response.
    milliseconds keep_alive{75'000};
    milliseconds write_timeout{30'000};  // without progress
    // Bytes per second. A response may take write_timeout, and on top what its size takes at this rate.
    uint64_t min_rate = 32u << 10;
    // What requests that have not arrived when the server begins to stop get to do so.
    milliseconds unsent_grace{1'000};
    // Beyond it requests, and answers that can be asked for again, are 503 with Retry-After. Null: one of
    // 256 MiB.
    std::shared_ptr<ByteBudget> bodies{};
    milliseconds cancel_grace{5'000};  // what handlers get to stop once a drain has cancelled them
    TrustedProxies trusted_proxies{};  // who is believed in X-Forwarded-For
    bool security_headers = true;
};

// What happened to one request, told once its response is written (or could not be).
struct Access {
    const Request* request;
    std::string_view route;  // the pattern, "" when none matched
    int status;
    milliseconds duration;
    uint64_t bytes_out;
    std::string_view story;
};

class Server {
public:
    // Runs first for every well-formed request, also OPTIONS and unknown paths, before its body is read
    // (authentication, CORS, inbound limits): who calls, or the response that ends the request there. `role`
    // is what the path wants, Client where nothing is; `add` goes onto any response.
    using Filter = std::function<std::variant<Caller, Response>(const Request&, Role role, Headers& add)>;
    using Observer = std::function<void(const Access&)>;
    using Log = std::function<void(std::string_view)>;

    // Binds and listens; nothing is accepted before start(). Config error when the address is taken or
    // invalid. The callbacks may be empty and are called from any thread; `log` hears what no client is told
    // and must not throw.
    static Result<std::unique_ptr<Server>> bind(ServerOptions options, std::vector<Route> routes,
                                                Filter before, Observer after, Log log = {});
    // Drains without patience if drain() was not called.
    virtual ~Server() = default;

    virtual uint16_t port() const = 0;
    // Throws std::system_error when the system refuses it a thread, as bind() does.
    virtual void start() = 0;
    // Stops accepting, lets running requests finish until `deadline`, then cancels them; returns when all
    // threads are gone. Idle keep-alive connections are closed at once. A handler that ignores its
    // cancellation for cancel_grace is left behind with the memory it uses, and logged: the process is
    // expected to end. Further calls do nothing.
    virtual void drain(SteadyTime deadline) = 0;
    virtual int inFlight() const = 0;
};

}  // namespace stepper::http
