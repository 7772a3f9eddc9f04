#include "tests/unit/transport/raw_server.h"

#include <cstdlib>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/result.h"

namespace stepper::transport {
namespace {

constexpr int kPatience = 5'000;  // ms

bool readable(int socket, int ms) {
    pollfd p{socket, POLLIN, 0};
    return ::poll(&p, 1, ms) == 1;
}

size_t bodyLength(std::string_view head) {
    const std::string_view name = "Content-Length: ";
    const size_t at = head.find(name);
    return at == std::string_view::npos
               ? 0
               : std::strtoul(std::string(head.substr(at + name.size())).c_str(), nullptr, 10);
}

}  // namespace

std::string Peer::request() {
    for (;;) {
        if (const size_t end = received_.find("\r\n\r\n"); end != std::string::npos) {
            const size_t size = end + 4 + bodyLength(std::string_view(received_).substr(0, end));
            if (received_.size() >= size) {
                std::string out = received_.substr(0, size);
                received_.erase(0, size);
                return out;
            }
        }
        char buffer[16384];
        if (!readable(socket_, kPatience)) return "";
        const auto n = ::recv(socket_, buffer, sizeof buffer, 0);
        if (n <= 0) return "";
        received_.append(buffer, static_cast<size_t>(n));
    }
}

bool Peer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
}

bool Peer::closes(std::chrono::milliseconds within) {
    char buffer[16384];
    while (readable(socket_, static_cast<int>(within.count())))
        if (::recv(socket_, buffer, sizeof buffer, 0) <= 0) return true;
    return false;
}

void Peer::reset() {
    const sockaddr nowhere{AF_UNSPEC, {}};
    ::connect(socket_, &nowhere, sizeof nowhere);
}

RawServer::RawServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    STEPPER_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    STEPPER_ASSERT(::listen(listener_, 64) == 0);
    STEPPER_ASSERT(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
}

RawServer::~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& running : running_) {
        ::shutdown(running.socket, SHUT_RD);  // ends a wait for a next request
        running.thread.join();
        ::close(running.socket);
    }
}

void RawServer::accept() {
    for (;;) {
        const int socket = ::accept(listener_, nullptr, nullptr);
        if (socket < 0) return;
        const timeval patience{kPatience / 1000, 0};
        ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        ++connections_;
        running_.push_back({socket, {}});
        running_.back().thread = std::thread([this, socket] {
            Peer peer(socket);
            script_(peer);
            ::shutdown(socket, SHUT_RDWR);
        });
    }
}

std::string RawServer::url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::string response(std::string_view status, std::string_view body, std::string_view headers) {
    return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(headers) + "\r\n" + std::string(body);
}

}  // namespace stepper::transport
