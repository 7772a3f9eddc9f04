#include "tools/provider-sim/blackhole.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stepper::sim {

Blackhole::Blackhole() {
    // With a backlog of 0 the kernel queues one connection and drops the packets of any other; one more is
    // filed in case a kernel counts differently.
    constexpr int kBacklog = 0, kFillers = 2;
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return;
    sockets_.push_back(listener);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener, generic, length) != 0 || ::listen(listener, kBacklog) != 0 ||
        ::getsockname(listener, generic, &length) != 0)
        return;
    for (int i = 0; i < kFillers; ++i) {
        const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (filler < 0) return;
        sockets_.push_back(filler);
        ::connect(filler, generic, length);
    }
    port_ = ntohs(address.sin_port);
}

Blackhole::~Blackhole() {
    for (const int socket : sockets_) ::close(socket);
}

}  // namespace stepper::sim
