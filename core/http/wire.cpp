#include "core/http/wire.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

namespace stepper::http {
namespace {

constexpr size_t kReadSize = 16u << 10;
constexpr milliseconds kLinger{1'000};

bool wouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }
SteadyTime now() { return std::chrono::steady_clock::now(); }

}  // namespace

Io Wire::await(short events, SteadyTime until, const CancelSource& stop) const {
    for (;;) {
        const auto left =
            std::clamp<int64_t>(std::chrono::ceil<milliseconds>(until - now()).count(), 0, 60'000);
        std::array<pollfd, 2> fds{{{fd_, events, 0}, {stop.fd(), POLLIN, 0}}};
        const int n = ::poll(fds.data(), fds.size(), static_cast<int>(left));
        if (n < 0 && errno != EINTR) return Io::Closed;
        if (n > 0) return fds[0].revents != 0 ? Io::Ok : Io::Stopped;
        if (now() >= until) return Io::Timeout;
    }
}

Io Wire::awaitRequest(SteadyTime until) const { return await(POLLIN, until, closing_); }

Io Wire::receive(std::string& into, size_t max, SteadyTime until) const {
    std::array<char, kReadSize> bytes;
    for (;;) {
        // Before the read: a peer that drips bytes must not outlive the deadline by never letting us wait.
        if (now() >= until) return Io::Timeout;
        const auto n = ::recv(fd_, bytes.data(), std::min(max, bytes.size()), 0);
        if (n > 0) {
            into.append(bytes.data(), static_cast<size_t>(n));
            return Io::Ok;
        }
        if (n == 0) return Io::Closed;
        if (errno == EINTR) continue;
        if (!wouldBlock()) return Io::Closed;
        if (const Io io = await(POLLIN, until, expired_); io != Io::Ok) return io;
    }
}

Io Wire::send(std::string_view bytes, milliseconds stall) const {
    while (!bytes.empty()) {
        const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0) {
            bytes.remove_prefix(static_cast<size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (!wouldBlock()) return Io::Closed;
        if (const Io io = await(POLLOUT, now() + stall, expired_); io != Io::Ok) return io;
    }
    return Io::Ok;
}

void Wire::resetOnClose() const {
    const ::linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Wire::linger() const {
    ::shutdown(fd_, SHUT_WR);
    const auto until = now() + kLinger;
    std::string discarded;
    while (receive(discarded, kReadSize, until) == Io::Ok) discarded.clear();
}

}  // namespace stepper::http
