#include "tools/provider-sim/wire.h"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

namespace stepper::sim {

Wire::Wire(int socket, Ending& ending) : socket_(socket), stop_fd_(ending.seen.fd()) {
    token_.watch(ending.source);
    token_.watchClient(socket, ending.hang_ups);
}

bool Wire::note(CancelReason reason) {
    if (reason == CancelReason::ClientGone) client_gone_ = true;
    return reason == CancelReason::None;
}

bool Wire::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            bytes.remove_prefix(static_cast<size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return note(CancelReason::ClientGone);
        // A client that stopped reading: wait for room, for its end or for ours.
        pollfd fds[] = {{socket_, POLLOUT, 0}, {stop_fd_, POLLIN, 0}};
        ::poll(fds, 2, -1);
        if (fds[1].revents) return false;
    }
    return true;
}

bool Wire::wait(milliseconds d) {
    if (d.count() <= 0) return true;
    return note(token_.sleepUntil(std::chrono::steady_clock::now() + d));
}

void Wire::hang() {
    while (wait(std::chrono::hours{1})) {
    }
}

void Wire::resetOnClose() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace stepper::sim
