#include "core/http/listener.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <Poco/Exception.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/id.h"
#include "core/http/guarded_socket.h"
#include "core/http/writer.h"

namespace stepper::http {
namespace {

constexpr int kMaxBacklog = 4096;
constexpr milliseconds kAcceptPause{100};
constexpr milliseconds kRoomWithin{200};  // for an idle connection's thread to notice that it is over

int openSpare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

// Without waiting: a client that is too slow even for this gets the bare close.
void turnAway(int fd, bool security_headers) {
    std::array<char, 16u << 10> unread;  // left unread, it would make the close a reset
    [[maybe_unused]] const auto received = ::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT);
    const auto id = newId();
    auto response =
        Response::error(503, "OVERLOADED", "All connections are taken; try again in a moment", id);
    response.headers.emplace_back("Retry-After", "1");
    const auto bytes = headOf(response, {id, {}, Framing::Length, {}, security_headers}) + response.body;
    [[maybe_unused]] const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(fd, SHUT_WR);
    ::close(fd);
}

}  // namespace

Listener::Listener(Front& front) : front_(front), spare_(openSpare()) {
    const Poco::Net::SocketAddress address(front.options.host, front.options.port);
    if (address.family() == Poco::Net::SocketAddress::IPv6)
        bind6(address, true, false, false);
    else
        bind(address, true, false);
    ::fcntl(sockfd(), F_SETFD, FD_CLOEXEC);
    setBlocking(false);
    listen(std::min(front.options.max_connections, kMaxBacklog));
}

Listener::~Listener() {
    if (spare_ >= 0) ::close(spare_);
}

bool Listener::poll(const Poco::Timespan& timeout, int) {
    std::array<pollfd, 2> fds{{{sockfd(), POLLIN, 0}, {front_.ending.closing.fd(), POLLIN, 0}}};
    const int n = ::poll(fds.data(), fds.size(), static_cast<int>(timeout.totalMilliseconds()));
    return n > 0 && fds[1].revents == 0;
}

Poco::Net::SocketImpl* Listener::acceptConnection(Poco::Net::SocketAddress& client) {
    const int fd = acceptOne(client);
    if (fd >= 0 && findRoom()) return new GuardedSocket(fd, client, front_);
    if (fd >= 0) turnAway(fd, front_.options.security_headers);
    throw Poco::TimeoutException("nobody to serve");
}

bool Listener::findRoom() {
    const int most = front_.options.max_connections;
    if (front_.connections.tryAdd(most)) return true;
    return front_.idle.dismissOne() &&
           front_.connections.addBy(std::chrono::steady_clock::now() + kRoomWithin, most);
}

// The next client, or -1 after dealing with why there is none.
int Listener::acceptOne(Poco::Net::SocketAddress& client) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd =
        ::accept4(sockfd(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        client = Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&address), size);
        return fd;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) shedOne();
    return -1;
}

// Out of descriptors or memory: the waiting client stays readable, so accept would spin. Turn one away and
// pause.
void Listener::shedOne() {
    front_.log(
        "cannot accept a connection: out of file descriptors or memory; raise the limit or lower "
        "server.max_connections");
    if (spare_ >= 0) ::close(spare_);
    const int fd = ::accept4(sockfd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) turnAway(fd, front_.options.security_headers);
    spare_ = openSpare();
    pollfd closing{front_.ending.closing.fd(), POLLIN, 0};
    ::poll(&closing, 1, static_cast<int>(kAcceptPause.count()));
}

}  // namespace stepper::http
