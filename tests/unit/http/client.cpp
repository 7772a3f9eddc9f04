#include "tests/unit/http/client.h"

#include <algorithm>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/text.h"

namespace stepper::http::test {

std::string Reply::header(std::string_view lower_name) const {
    for (const auto line : splitLines(head)) {
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && equalsIgnoreCase(line.substr(0, colon), lower_name))
            return std::string(trim(line.substr(colon + 1)));
    }
    return {};
}

std::string Reply::text(std::string_view key) const {
    auto document = json::parse(body);
    if (!document) return {};
    return std::string(json::string(*document, key).value_or(""));
}

Client::Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval five{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &five, sizeof five);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &five, sizeof five);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) close();
}

Client::~Client() { close(); }

void Client::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

bool Client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
}

bool Client::fill() {
    char bytes[16384];
    const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n > 0) buffer_.append(bytes, static_cast<size_t>(n));
    return n > 0;
}

Reply Client::read(bool head_only) {
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) return {};
    Reply reply;
    reply.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    const auto length = reply.header("content-length");
    const size_t size = head_only || length.empty() ? 0 : std::stoul(length);
    while (buffer_.size() < size)
        if (!fill()) return {};
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    reply.status = std::stoi(reply.head.substr(9, 3));
    return reply;
}

std::string Client::take(size_t size) {
    while (buffer_.size() < size && fill()) {
    }
    std::string out = buffer_.substr(0, size);
    buffer_.erase(0, out.size());
    return out;
}

std::string Client::rest() { return take(std::string::npos); }

bool Client::ended() {
    if (!buffer_.empty()) return false;
    char byte;
    const auto n = ::recv(fd_, &byte, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

std::string get(std::string_view path, std::string_view headers) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(headers) + "\r\n";
}

std::string postJson(std::string_view path, std::string_view body, std::string_view headers) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

void Gate::open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
}

bool Gate::wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 5s, [this] { return open_; });
}

TestServer::TestServer(std::vector<Route> routes, ServerOptions options, Server::Filter before) {
    auto server = Server::bind(
        std::move(options), std::move(routes), std::move(before),
        [this](const Access& a) {
            std::lock_guard lock(mutex_);
            told_.push_back({a.request->id, std::string(a.route), a.status, a.bytes_out});
            changed_.notify_all();
        },
        [this](std::string_view line) {
            std::lock_guard lock(mutex_);
            logged_.emplace_back(line);
        });
    if (!server) throw std::runtime_error(server.error().message);
    server_ = std::move(*server);
    server_->start();
}

std::vector<Told> TestServer::told() {
    std::lock_guard lock(mutex_);
    return told_;
}

std::vector<std::string> TestServer::logged() {
    std::lock_guard lock(mutex_);
    return logged_;
}

bool TestServer::awaitTold(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 5s, [&] { return told_.size() >= count; });
}

std::vector<Route> plainRoutes() {
    return {
        {"GET", "/hello", "", Body::None, Role::Anybody,
         [](const Request&) { return Response::json(200, R"({"hello":true})"); }},
        {"POST", "/echo", "", Body::Json, Role::Anybody,
         [](const Request& r) { return Response::json(200, r.body); }},
        {"GET", "/v1/jobs/{id}", "", Body::None, Role::Anybody,
         [](const Request& r) { return Response::json(200, std::string(r.param("id"))); }},
        {"DELETE", "/v1/jobs/{id}", "", Body::None, Role::Anybody,
         [](const Request&) { return Response::json(200, "gone"); }},
    };
}

void expectError(const Reply& reply, int status, std::string_view code) {
    EXPECT_EQ(reply.status, status) << reply.head << reply.body;
    EXPECT_EQ(reply.header("content-type"), "application/json; charset=utf-8");
    EXPECT_FALSE(reply.text("error").empty()) << reply.body;
    EXPECT_EQ(reply.text("errorCode"), code);
    EXPECT_FALSE(reply.text("requestId").empty());
    EXPECT_EQ(reply.text("requestId"), reply.header("x-request-id"));
}

}  // namespace stepper::http::test
