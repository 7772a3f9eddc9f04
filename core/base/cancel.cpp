#include "core/base/cancel.h"

#include <algorithm>
#include <cerrno>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/result.h"

namespace stepper {

std::string_view name(CancelReason r) {
    switch (r) {
        case CancelReason::ClientGone: return "the client went away";
        case CancelReason::Requested: return "it was cancelled";
        case CancelReason::Draining: return "the server is shutting down";
        case CancelReason::None: break;
    }
    return "not cancelled";
}

CancelSource::CancelSource(CancelReason reason)
    : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), reason_(reason) {
    STEPPER_ASSERT(fd_ >= 0);
}

CancelSource::~CancelSource() { ::close(fd_); }

void CancelSource::cancel() {
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);  // full means already cancelled
}

void CancelToken::watch(const CancelSource& source) {
    const auto slot = std::find(sources_.begin(), sources_.end(), nullptr);
    STEPPER_ASSERT(slot != sources_.end());
    *slot = &source;
}

void CancelToken::watchClient(int socket) { client_ = socket; }

CancelReason CancelToken::check() {
    if (seen_ != CancelReason::None) return seen_;
    for (const auto* source : sources_) {
        if (!source) continue;
        pollfd p{source->fd(), POLLIN, 0};
        if (::poll(&p, 1, 0) == 1) return seen_ = source->reason();
    }
    if (client_ >= 0) {
        char byte;
        const auto n = ::recv(client_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return seen_ = CancelReason::ClientGone;
        // A pipelined request keeps the socket readable for good; polling it further would spin.
        if (n > 0) client_ = -1;
    }
    return CancelReason::None;
}

CancelReason CancelToken::sleepUntil(SteadyTime until) {
    for (;;) {
        if (const auto reason = check(); reason != CancelReason::None) return reason;
        const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return CancelReason::None;
        const Descriptors watched = descriptors();
        std::array<pollfd, 3> fds{};
        for (size_t i = 0; i < watched.count; ++i) fds[i] = {watched.fds[i], POLLIN, 0};
        ::poll(fds.data(), watched.count, static_cast<int>(std::min<int64_t>(left.count(), 60'000)));
    }
}

CancelToken::Descriptors CancelToken::descriptors() const {
    Descriptors out;
    for (const auto* source : sources_)
        if (source) out.fds[out.count++] = source->fd();
    if (client_ >= 0) out.fds[out.count++] = client_;
    return out;
}

}  // namespace stepper
