#include "core/plugin/isolation/remote_channel.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace stepper::plugin {
namespace {

// A payload larger than what came with its head is read in pieces of this size.
constexpr size_t kPiece = 262'144;

// An answer usually comes sooner than an idle processor wakes: measured, to sleep for it costs twice what
// looking does.
constexpr std::chrono::microseconds kLook{60};

// False: the deadline has passed.
bool waitFor(int fd, short what, SteadyTime until) {
    for (;;) {
        int left_ms = -1;
        if (until != kNoDeadline) {
            const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
            left_ms = static_cast<int>(std::min<int64_t>(left.count(), 3'600'000));
        }
        pollfd p{fd, what, 0};
        if (::poll(&p, 1, left_ms) > 0) return true;
    }
}

bool wouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

RemoteChannel::RemoteChannel(int fd, milliseconds patience) : fd_(fd), staging_(new char[kStaging]) {
    timeval limit{};
    limit.tv_sec = patience.count() / 1'000;
    limit.tv_usec = patience.count() % 1'000 * 1'000;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

Transfer RemoteChannel::send(std::string_view frame, SteadyTime until) {
    just_sent_ = true;
    while (!frame.empty()) {
        const ssize_t n = ::send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            frame.remove_prefix(static_cast<size_t>(n));
        } else if (wouldBlock()) {
            just_sent_ = false;
            if (!waitFor(fd_, POLLOUT, until)) return Transfer::TimedOut;
        } else if (errno != EINTR) {
            return Transfer::Closed;
        }
    }
    return Transfer::Ok;
}

bool RemoteChannel::offer(std::string_view frame) {
    const ssize_t n = ::send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return false;
    return send(frame.substr(static_cast<size_t>(n)), kNoDeadline) == Transfer::Ok;  // half a frame is worse
}

bool RemoteChannel::look(char* to, size_t room, size_t& got) const {
    const SteadyTime end = std::chrono::steady_clock::now() + kLook;
    do {
        const ssize_t n = ::recv(fd_, to, room, MSG_DONTWAIT);
        if (n > 0) {
            got = static_cast<size_t>(n);
            return true;
        }
        if (n == 0 || !wouldBlock()) return false;  // the read that follows tells why
        ::sched_yield();                            // to the child, when there is no other processor for it
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

Transfer RemoteChannel::read(char* to, size_t room, SteadyTime until, size_t& got) {
    // Only the first read after a send that did not wait has the whole of `patience` left.
    bool may_block = just_sent_ || until == kNoDeadline;
    const bool answer_is_near = std::exchange(just_sent_, false) && until != kNoDeadline;
    if (answer_is_near && look(to, room, got)) return Transfer::Ok;
    for (;;) {
        if (!may_block && !waitFor(fd_, POLLIN, until)) return Transfer::TimedOut;
        const ssize_t n = ::recv(fd_, to, room, may_block ? 0 : MSG_DONTWAIT);
        if (n > 0) {
            got = static_cast<size_t>(n);
            return Transfer::Ok;
        }
        if (n == 0) return Transfer::Closed;
        if (may_block && wouldBlock()) return Transfer::TimedOut;
        if (!wouldBlock() && errno != EINTR) return Transfer::Closed;
        may_block = false;
    }
}

Transfer RemoteChannel::fill(SteadyTime until) {
    if (begin_ > 0) {
        std::memmove(staging_.get(), staging_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    size_t got = 0;
    const Transfer went = read(staging_.get() + end_, kStaging - end_, until, got);
    end_ += got;
    return went;
}

Transfer RemoteChannel::receive(wire::Kind& kind, std::string& payload, SteadyTime until) {
    while (end_ - begin_ < wire::kHeadBytes)
        if (const Transfer went = fill(until); went != Transfer::Ok) return went;
    const auto head = wire::decodeHead({staging_.get() + begin_, wire::kHeadBytes});
    if (!head) return Transfer::Garbled;
    begin_ += wire::kHeadBytes;
    kind = head->kind;
    const size_t here = std::min<size_t>(head->bytes, end_ - begin_);
    payload.assign(staging_.get() + begin_, here);
    begin_ += here;
    if (begin_ == end_) begin_ = end_ = 0;
    while (payload.size() < head->bytes) {
        const size_t had = payload.size();
        payload.resize(std::min<size_t>(head->bytes, had + kPiece));
        size_t got = 0;
        const Transfer went = read(payload.data() + had, payload.size() - had, until, got);
        payload.resize(had + got);
        if (went != Transfer::Ok) return went;
    }
    return Transfer::Ok;
}

bool RemoteChannel::closed() const {
    char byte;
    const ssize_t n = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && !wouldBlock() && errno != EINTR);
}

}  // namespace stepper::plugin
