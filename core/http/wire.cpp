#include "core/http/wire.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/result.h"

namespace stepper::http {
namespace {

constexpr size_t kReadSize = 16u << 10;
constexpr milliseconds kLinger{1'000};

bool wouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }
SteadyTime now() { return std::chrono::steady_clock::now(); }

// What is still to be sent of some pieces.
class Outgoing {
public:
    explicit Outgoing(std::span<const std::string_view> pieces) {
        STEPPER_ASSERT(pieces.size() <= parts_.size());
        for (const auto piece : pieces) {
            parts_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
            left_ += piece.size();
        }
    }

    size_t left() const { return left_; }

    ssize_t sendSome(int fd) {
        msghdr message{};
        message.msg_iov = parts_.data() + first_;
        message.msg_iovlen = count_ - first_;
        return ::sendmsg(fd, &message, MSG_NOSIGNAL);
    }

    void drop(size_t sent) {
        left_ -= sent;
        while (sent > 0) {
            iovec& part = parts_[first_];
            const size_t of_this = std::min(sent, part.iov_len);
            part.iov_base = static_cast<char*>(part.iov_base) + of_this;
            part.iov_len -= of_this;
            sent -= of_this;
            if (part.iov_len == 0) ++first_;
        }
    }

private:
    std::array<iovec, Wire::kMostPieces> parts_{};
    size_t first_ = 0, count_ = 0, left_ = 0;
};

SteadyTime latest(size_t bytes, const Pace& pace) {
    return now() + pace.stall + std::chrono::seconds(bytes / std::max<uint64_t>(pace.min_rate, 1));
}

}  // namespace

Io Wire::await(short events, SteadyTime until, const CancelDescriptor& stop) const {
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

Io Wire::awaitRequest(SteadyTime until) const { return await(POLLIN, until, ending_.closing_seen); }

Io Wire::receive(std::string& into, size_t max, SteadyTime until) const {
    std::array<char, kReadSize> bytes;
    size_t size = 0;
    const Io io = receive(std::span(bytes).first(std::min(max, bytes.size())), size, until);
    if (io == Io::Ok) into.append(bytes.data(), size);
    return io;
}

Io Wire::receive(std::span<char> into, size_t& size, SteadyTime until) const {
    for (;;) {
        // Before the read: a peer that drips bytes must not outlive the deadline by never letting us wait.
        if (now() >= until) return Io::Timeout;
        const auto n = ::recv(fd_, into.data(), into.size(), 0);
        if (n > 0) {
            size = static_cast<size_t>(n);
            return Io::Ok;
        }
        if (n == 0) return Io::Closed;
        if (errno == EINTR) continue;
        if (!wouldBlock()) return Io::Closed;
        if (const Io io = awaitMore(until); io != Io::Ok) return io;
    }
}

Io Wire::awaitMore(SteadyTime until) const {
    if (const Io io = await(POLLIN, until, ending_.closing_seen); io != Io::Stopped) return io;
    const SteadyTime unsent_until = ending_.unsent_until;
    const Io io = await(POLLIN, std::min(until, unsent_until), ending_.expired_seen);
    return io == Io::Timeout && unsent_until < until ? Io::Stopped : io;
}

Io Wire::send(std::span<const std::string_view> pieces, const Pace& pace) const {
    Outgoing out(pieces);
    std::optional<SteadyTime> end;
    while (out.left() > 0) {
        if (const auto n = out.sendSome(fd_); n >= 0) {
            out.drop(static_cast<size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (!wouldBlock()) return Io::Closed;
        if (!end) end = latest(out.left(), pace);
        const SteadyTime until = std::min(now() + pace.stall, *end);
        if (const Io io = await(POLLOUT, until, ending_.expired_seen); io != Io::Ok) return io;
        if (now() >= *end) return Io::Timeout;
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
    std::array<char, kReadSize> discarded;
    for (size_t size = 0; receive(discarded, size, until) == Io::Ok;) {
    }
}

}  // namespace stepper::http
