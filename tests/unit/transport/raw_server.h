// A server on loopback that answers with the bytes a test wrote for it: it knows nothing of HTTP but where a
// request ends. Every connection runs the script on its own thread; all waits are bounded.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

namespace stepper::transport {

// The server's side of one connection. Used by the script's thread.
class Peer {
public:
    explicit Peer(int socket) : socket_(socket) {}

    int socket() const { return socket_; }
    // The next request, head and body as received; "" when the client closed first.
    std::string request();
    bool send(std::string_view bytes);
    // Whether the client closes (or resets) within this time.
    bool closes(std::chrono::milliseconds within);
    // Ends the connection with RST.
    void reset();

private:
    int socket_;
    std::string received_;
};

class RawServer {
public:
    using Script = std::function<void(Peer&)>;

    explicit RawServer(Script script);
    ~RawServer();
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    uint16_t port() const { return port_; }
    std::string url(std::string_view path = "/") const;
    int connections() const { return connections_; }

private:
    void accept();

    struct Running {
        int socket;
        std::thread thread;
    };

    Script script_;
    int listener_;
    uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::list<Running> running_;
    std::thread acceptor_;
};

// A response with a Content-Length.
std::string response(std::string_view status, std::string_view body, std::string_view headers = "");

}  // namespace stepper::transport
