// The HTTP front: guarded sockets, routing, limits and one catch-all, on Poco::Net::HTTPServer.
//
// Handlers see plain values and know nothing of Poco. Each request runs on its own thread, start to end.
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

namespace stepper::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A parsed request. Valid for the handler's call.
struct Request {
    std::string method;
    std::string path;                                         // percent-decoded, without the query
    std::vector<std::pair<std::string, std::string>> query;   // decoded, in order
    std::vector<std::pair<std::string, std::string>> params;  // what {name} in the route's pattern matched
    Headers headers;                                          // names in lower case
    std::string body;
    std::string id;         // X-Request-Id: the client's if it was well-formed, else ours
    std::string client_ip;
    SteadyTime received;
    CancelToken* cancel = nullptr;  // fires when the client goes away or the drain runs out of time

    std::string_view header(std::string_view lower_name) const;
    std::optional<std::string_view> queryValue(std::string_view key) const;
    std::string_view param(std::string_view key) const;
};

struct Response {
    int status = 200;
    std::string content_type = "application/json; charset=utf-8";
    Headers headers;
    std::string body;

    static Response json(int status, std::string body);
};

using Handler = std::function<Response(const Request&)>;

// Whether a route's body must be JSON (Content-Type checked: 415) or none is read.
enum class Body { None, Json };

struct Route {
    std::string method;   // "GET"; HEAD is answered by GET routes, OPTIONS by the router
    std::string pattern;  // "/v1/jobs/{id}"
    Body body = Body::None;
    Handler handler;
};

struct ServerOptions {
    std::string host = "127.0.0.1";
    uint16_t port = 0;
    int max_connections = 4096;
    uint64_t max_body = 10u << 20;
    uint64_t max_head = 16u << 10;        // request line and headers together; over it 431
    milliseconds head_timeout{10'000};    // absolute, from the first byte of a request
    milliseconds body_timeout{60'000};    // absolute
    milliseconds keep_alive_idle{15'000};
    milliseconds write_timeout{30'000};   // without progress
    bool trust_proxy = false;
    bool security_headers = true;
};

// What happened to one request, told once its response is written (or could not be).
struct Access {
    const Request* request;
    std::string_view route;  // the pattern, "" when none matched
    int status;
    milliseconds duration;
    uint64_t bytes_out;
};

class Server {
public:
    // Runs before each handler (authentication, CORS, inbound limits); a response ends the request there.
    using Filter = std::function<std::optional<Response>(const Request&, std::string_view route)>;

    // Binds and listens; nothing is accepted before start(). Config error when the address is taken or invalid.
    static Result<std::unique_ptr<Server>> bind(ServerOptions options, std::vector<Route> routes, Filter before,
                                                std::function<void(const Access&)> after);
    virtual ~Server() = default;

    virtual uint16_t port() const = 0;
    virtual void start() = 0;
    // Stops accepting, lets running requests finish until `deadline`, then cancels them; returns when all threads
    // are gone. Idle keep-alive connections are closed at once.
    virtual void drain(SteadyTime deadline) = 0;
    virtual int inFlight() const = 0;
};

}  // namespace stepper::http
