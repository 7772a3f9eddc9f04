// A client that says exactly the bytes it is told to, and a server to say them to.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/http.h"

namespace stepper::http::test {

using namespace std::chrono_literals;

struct Reply {
    int status = 0;  // 0: the connection ended before a whole response
    std::string head;
    std::string body;

    std::string header(std::string_view lower_name) const;
    // A member of the JSON body, "" if there is none.
    std::string text(std::string_view key) const;
};

// One connection to loopback. Every read gives up after 5 s.
class Client {
public:
    explicit Client(uint16_t port);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool send(std::string_view bytes);
    Reply read(bool head_only = false);
    Reply ask(std::string_view bytes) {
        send(bytes);
        return read();
    }
    // Exactly that many bytes; fewer when the connection ends before.
    std::string take(size_t size);
    // All bytes up to the connection's end.
    std::string rest();
    // Whether the server ended the connection, without a further byte.
    bool ended();
    void close();
    int fd() const { return fd_; }

private:
    bool fill();
    int fd_;
    std::string buffer_;
};

std::string get(std::string_view path, std::string_view headers = "");
std::string postJson(std::string_view path, std::string_view body, std::string_view headers = "");

// Opened once; waits for it give up after 5 s.
class Gate {
public:
    void open();
    bool wait();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

// What was told to the callbacks.
struct Told {
    std::string id, route;
    int status;
    uint64_t bytes_out;
};

class TestServer {
public:
    explicit TestServer(std::vector<Route> routes, ServerOptions options = {}, Server::Filter before = {});
    uint16_t port() const { return server_->port(); }
    Server& operator*() { return *server_; }
    Server* operator->() { return server_.get(); }
    std::vector<Told> told();
    std::vector<std::string> logged();
    // Waits until that many requests were told of.
    bool awaitTold(size_t count);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Told> told_;
    std::vector<std::string> logged_;
    std::unique_ptr<Server> server_;  // last: its threads use the others
};

// GET /hello, POST /echo (JSON), GET and DELETE /v1/jobs/{id}.
std::vector<Route> plainRoutes();

// The reply is this error, as JSON, with its request id.
void expectError(const Reply& reply, int status, std::string_view code);

}  // namespace stepper::http::test
