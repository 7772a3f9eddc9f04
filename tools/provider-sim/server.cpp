#include "tools/provider-sim/server.h"

#include <charconv>
#include <set>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/ThreadPool.h>

#include "tools/provider-sim/blackhole.h"
#include "tools/provider-sim/control.h"

namespace stepper::sim {
namespace {

namespace net = Poco::Net;

constexpr int kConnections = 4096;
constexpr int kStackBytes = 256 << 10;
constexpr size_t kMaxBody = 64 << 20;

Call headOf(const net::HTTPServerRequest& request) {
    Call call{.method = request.getMethod(), .path = request.getURI()};
    if (const auto mark = call.path.find('?'); mark != std::string::npos) {
        call.query = call.path.substr(mark + 1);
        call.path.resize(mark);
    }
    for (const auto& [name, value] : request) call.headers.emplace_back(name, value);
    return call;
}

// False when the body is too large or ends early.
bool readBody(net::HTTPServerRequest& request, Call& call) {
    auto& in = request.stream();
    if (const auto length = request.getContentLength64();
        length != net::HTTPMessage::UNKNOWN_CONTENT_LENGTH) {
        if (length < 0 || static_cast<size_t>(length) > kMaxBody) return false;
        call.body.resize(static_cast<size_t>(length));
        in.read(call.body.data(), static_cast<std::streamsize>(length));
        return in.gcount() == length;
    }
    // By HTTP nothing follows; Poco would read on until the connection ends.
    if (!request.getChunkedTransferEncoding()) return true;
    char block[8192];
    while (in.read(block, sizeof block), in.gcount() > 0) {
        call.body.append(block, static_cast<size_t>(in.gcount()));
        if (call.body.size() > kMaxBody) return false;
    }
    return !in.bad();
}

// Whether this is the connection's first request to that instance. A connection stays on one thread until it
// ends, so a peer this thread has not just served is a new connection.
bool firstOnConnection(const net::SocketAddress& peer, const std::string& instance) {
    thread_local net::SocketAddress last_peer;
    thread_local std::set<std::string> seen;
    if (peer != last_peer) {
        last_peer = peer;
        seen.clear();
    }
    return seen.insert(instance).second;
}

struct Context {
    Simulator& simulator;
    Ending ending = {};
    Blackhole blackhole = {};

    std::string blackholeUrl() const {
        return blackhole.port() ? "http://127.0.0.1:" + std::to_string(blackhole.port()) : "";
    }
};

class Handler final : public net::HTTPRequestHandler {
public:
    explicit Handler(Context& context) : context_(context) {}

    void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
        auto& socket = static_cast<net::HTTPServerRequestImpl&>(request).socket();
        Wire wire(static_cast<int>(socket.impl()->sockfd()), context_.ending);
        Call call = headOf(request);
        const auto read = [&](Call& c) { return readBody(request, c); };
        const bool reusable = call.path.starts_with(kControlPrefix)
                                  ? read(call) && answerControl(call, wire)
                                  : context_.simulator.serve(call, wire, read,
                                                             firstOnConnection(request.clientAddress(),
                                                                               targetOf(call.path).instance));
        response.setKeepAlive(reusable && request.getKeepAlive());
    }

private:
    bool answerControl(const Call& call, Wire& wire) {
        const auto reply = control(context_.simulator, call, context_.blackholeUrl());
        return respond(wire, reply, {}, [] {}).reusable;
    }

    Context& context_;
};

class Handlers final : public net::HTTPRequestHandlerFactory {
public:
    explicit Handlers(Context& context) : context_(context) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
        return new Handler(context_);
    }

private:
    Context& context_;
};

net::HTTPServerParams::Ptr parameters() {
    net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
    params->setMaxThreads(kConnections);
    params->setMaxQueued(kConnections);
    // A thread that goes idle just when the server stops is not woken: it waits this out.
    params->setThreadIdleTime(Poco::Timespan(0, 500'000));
    params->setKeepAlive(true);
    params->setMaxKeepAliveRequests(0);
    params->setKeepAliveTimeout(Poco::Timespan(600, 0));
    params->setTimeout(Poco::Timespan(600, 0));
    return params;
}

net::ServerSocket listenOn(const std::string& host, uint16_t port) {
    net::ServerSocket socket;
    // Shared, a port would give each of two simulators some of the connections.
    socket.bind(net::SocketAddress(host, port), true, false);
    socket.listen(kConnections);
    return socket;
}

}  // namespace

struct Server::Parts {
    Parts(Simulator& simulator, const std::string& host, uint16_t port)
        : context{simulator},
          socket(listenOn(host, port)),
          threads("provider-sim", 2, kConnections + 1, 60, kStackBytes),
          http(new Handlers(context), threads, socket, parameters()) {}

    Context context;
    net::ServerSocket socket;
    Poco::ThreadPool threads;
    net::HTTPServer http;
};

Server::Server(Simulator& simulator, const std::string& host, uint16_t port)
    : parts_(std::make_unique<Parts>(simulator, host, port)) {
    parts_->http.start();
}

Server::~Server() {
    parts_->context.ending.source.cancel();
    parts_->http.stopAll(true);
    parts_->threads.joinAll();
}

std::string Server::url() const { return "http://" + parts_->socket.address().toString(); }

}  // namespace stepper::sim
