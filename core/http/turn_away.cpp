#include "core/http/turn_away.h"

#include <array>
#include <new>

#include <sys/socket.h>

#include "core/base/id.h"
#include "core/http/writer.h"

namespace stepper::http {
namespace {

void send(int fd, std::string_view bytes) {
    [[maybe_unused]] const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

std::string busy(bool security_headers) {
    const auto id = newId();
    const auto response =
        Response::unavailable("OVERLOADED", "All connections are taken; try again in a moment", id);
    return headOf(response, {id, {}, Framing::Length, {}, security_headers}) + response.body;
}

}  // namespace

const std::string_view kNoMemory =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: Close\r\n"
    "Content-Type: application/json; charset=utf-8\r\nContent-Length: 89\r\n\r\n"
    R"({"error":"The server is short of memory; try again in a moment","errorCode":"OVERLOADED"})";

void turnAway(int fd, bool security_headers) noexcept {
    std::array<char, 16u << 10> unread;  // left unread, it would make the close a reset
    [[maybe_unused]] const auto received = ::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT);
    try {
        send(fd, busy(security_headers));
    } catch (const std::bad_alloc&) {
        send(fd, kNoMemory);
    }
    ::shutdown(fd, SHUT_WR);
}

}  // namespace stepper::http
