#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <system_error>
#include <thread>

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/ThreadPool.h>
#include <poll.h>

#include "core/base/endpoint.h"
#include "core/http/exchange.h"
#include "core/http/listener.h"

namespace stepper::http {
namespace {

constexpr int kStackBytes = 256 << 10;
constexpr int kMinThreads = 4;
constexpr uint64_t kBodyBudget = 256u << 20;
// At most: a thread whose connection has just closed is not yet free for the one in its place.
constexpr int kThreadsPerConnection = 2;
constexpr int kThreadIdleSeconds = 30;
// How long a thread waits for a connection inside Poco's dispatcher, which may miss being told to stop.
constexpr Poco::Timespan::TimeDiff kDispatcherWaitUs = 1'000'000;
// How long a stopping server still takes in clients that keep coming.
constexpr milliseconds kLastCall{250};
constexpr milliseconds kLastCallStep{1};

class Handler final : public Poco::Net::HTTPRequestHandler {
public:
    explicit Handler(Front& front) : front_(front) {}
    void handleRequest(Poco::Net::HTTPServerRequest& request,
                       Poco::Net::HTTPServerResponse& response) override {
        auto& socket = static_cast<Poco::Net::HTTPServerRequestImpl&>(request).socket();
        response.setKeepAlive(serve(front_, static_cast<GuardedSocket&>(*socket.impl())));
    }

private:
    Front& front_;
};

class HandlerFactory final : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit HandlerFactory(Front& front) : front_(front) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
        return new Handler(front_);
    }

private:
    Front& front_;
};

// The limits and timeouts are the guarded sockets'; of Poco's own only the sizes count.
Poco::Net::HTTPServerParams::Ptr pocoParams(const ServerOptions& options) {
    Poco::Net::HTTPServerParams::Ptr params(new Poco::Net::HTTPServerParams);
    params->setKeepAlive(true);
    // Poco's own count of its threads drifts when one ends while a connection comes, and a connection that it
    // finds no thread for waits until another one ends, however long that is idle. The listener counts.
    params->setMaxThreads(std::numeric_limits<int>::max());
    params->setMaxQueued(options.max_connections);
    params->setThreadIdleTime(kDispatcherWaitUs);
    return params;
}

// Everything a connection's thread can reach. Members are in the order they depend on each other.
struct Machine {
    explicit Machine(ServerOptions options, std::vector<Route> routes, Server::Filter before,
                     Server::Observer after, Server::Log log)
        : front{.options = std::move(options),
                .router = Router(std::move(routes)),
                .before = std::move(before),
                .after = std::move(after),
                .log = std::move(log),
                .bodies =
                    front.options.bodies ? front.options.bodies : std::make_shared<ByteBudget>(kBodyBudget)},
          pool("http", std::min(kMinThreads, front.options.max_connections),
               kThreadsPerConnection * front.options.max_connections, kThreadIdleSeconds, kStackBytes),
          socket(front, pool),
          http(new HandlerFactory(front), pool, socket, pocoParams(front.options)) {}

    Front front;
    Poco::ThreadPool pool;
    ListeningSocket socket;
    Poco::Net::HTTPServer http;
};

std::system_error noThread(const Poco::Exception& e) {
    return {EAGAIN, std::generic_category(),
            "the HTTP server's threads cannot be started: " + e.displayText()};
}

class PocoServer final : public Server {
public:
    explicit PocoServer(std::unique_ptr<Machine> machine)
        : machine_(std::move(machine)), port_(machine_->http.port()) {}

    ~PocoServer() override {
        drain(std::chrono::steady_clock::now());
        if (stuck_) static_cast<void>(machine_.release());
    }

    uint16_t port() const override { return port_; }
    void start() override {
        try {
            machine_->http.start();
        } catch (const Poco::Exception& e) {
            throw noThread(e);
        }
    }
    int inFlight() const override { return machine_->front.in_flight; }

    void drain(SteadyTime deadline) override {
        if (std::exchange(drained_, true)) return;
        stuck_ = true;  // until it is known not to be, also when this is not gone through
        auto& front = machine_->front;
        front.draining = true;
        awaitHandOver(std::min(deadline, std::chrono::steady_clock::now() + kLastCall));
        front.ending.unsent_until =
            std::min(deadline, std::chrono::steady_clock::now() + front.options.unsent_grace);
        front.ending.closing.cancel();
        try {
            machine_->http.stop();
        } catch (const std::bad_alloc&) {  // telling its threads takes some; they look once a second, too
        }
        machine_->socket.close();
        bool ended = front.connections.awaitNone(deadline);
        if (!ended) {
            front.ending.expired.cancel();
            const SteadyTime given_up = std::chrono::steady_clock::now() + front.options.cancel_grace;
            ended = front.connections.awaitNone(given_up);
        }
        if (ended) {
            machine_->pool.joinAll();
            stuck_ = false;
        } else {
            front.log(std::to_string(front.connections.value()) +
                      " requests ignored their cancellation and are left behind");
        }
    }

private:
    // The kernel connects clients before they are accepted, and Poco queues them before it serves them:
    // ending now would reset the connections of clients that have sent their request.
    void awaitHandOver(SteadyTime until) {
        const auto pending = [&] {
            pollfd backlog{machine_->socket.impl()->sockfd(), POLLIN, 0};
            return ::poll(&backlog, 1, 0) > 0 || machine_->http.queuedConnections() > 0 ||
                   machine_->front.connections.value() > machine_->http.currentConnections();
        };
        while (pending() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(kLastCallStep);
    }

    std::unique_ptr<Machine> machine_;
    const uint16_t port_;
    bool drained_ = false;
    bool stuck_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::bind(ServerOptions options, std::vector<Route> routes, Filter before,
                                             Observer after, Log log) {
    const std::string where = bracketed(options.host) + ":" + std::to_string(options.port);
    if (options.max_connections < 1)
        return Error{ErrorClass::Config, "server.max_connections must be at least 1"};
    if (!after) after = [](const Access&) {};
    if (!log) log = [](std::string_view) {};
    try {
        return std::unique_ptr<Server>(std::make_unique<PocoServer>(std::make_unique<Machine>(
            std::move(options), std::move(routes), std::move(before), std::move(after), std::move(log))));
    } catch (const Poco::SystemException& e) {
        throw noThread(e);
    } catch (const Poco::Exception& e) {
        return Error{ErrorClass::Config,
                     "cannot listen on " + where + ": " + e.displayText() +
                         "; set server.listen (HOST, PORT) to a free address of this machine"};
    }
}

}  // namespace stepper::http
