#include "core/http/listener.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <thread>
#include <utility>

#include <Poco/Exception.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/http/guarded_socket.h"
#include "core/http/turn_away.h"

namespace stepper::http {
namespace {

constexpr int kMaxBacklog = 4096;
constexpr milliseconds kAcceptPause{100};
constexpr int kMostShedAtOnce = 64;
constexpr milliseconds kRoomWithin{200};  // for an idle connection's thread to notice that it is over

constexpr int kPollsPerTidying = 40;     // Poco polls four times a second
constexpr milliseconds kRestWithin{50};  // for a thread that has nothing to do to say so

class Nothing final : public Poco::Runnable {
public:
    void run() override {}
};

int openSpare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

Listener::Listener(Front& front, Poco::ThreadPool& threads)
    : front_(front), threads_(threads), spare_(openSpare()) {
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
    std::array<pollfd, 2> fds{{{sockfd(), POLLIN, 0}, {front_.ending.closing_seen.fd(), POLLIN, 0}}};
    const int n = ::poll(fds.data(), fds.size(), static_cast<int>(timeout.totalMilliseconds()));
    // Poco ends threads that nobody needs only when it wants one.
    if (n == 0 && ++quiet_polls_ % kPollsPerTidying == 0) threads_.collect();
    return n > 0 && fds[1].revents == 0;
}

Poco::Net::SocketImpl* Listener::acceptConnection(Poco::Net::SocketAddress& client) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor accepted = acceptOne(reinterpret_cast<sockaddr*>(&address), &size);
    if (accepted) {
        try {
            client = Poco::Net::SocketAddress(reinterpret_cast<sockaddr*>(&address), size);
            if (findThread() && findRoom()) return guarded(accepted, client);
        } catch (const std::bad_alloc&) {  // it is told, as nobody else will
        }
        refuse(accepted);
    }
    throw Poco::TimeoutException("nobody to serve");
}

bool Listener::findRoom() {
    const int most = front_.options.max_connections;
    if (front_.connections.tryAdd(most)) return true;
    return front_.idle.dismissOne() &&
           front_.connections.addBy(std::chrono::steady_clock::now() + kRoomWithin, most);
}

// Poco leaves a connection that it can start no thread for in its queue, unanswered, until another one ends:
// so there is a thread for each before Poco is given it.
bool Listener::findThread() {
    if (threads_.allocated() > front_.connections.value()) return true;
    static Nothing nothing;
    try {
        threads_.start(nothing);
    } catch (const Poco::Exception&) {
        if (!std::exchange(short_of_threads_, true))
            front_.log(
                "no thread can be had for more connections; raise the system's limit of threads or lower "
                "server.max_connections");
        return front_.idle.dismissOne();
    }
    short_of_threads_ = false;
    const auto until = std::chrono::steady_clock::now() + kRestWithin;
    while (threads_.used() == threads_.allocated() && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    return true;
}

// The next client, or none after dealing with why there is none.
Descriptor Listener::acceptOne(sockaddr* address, socklen_t* size) {
    Descriptor accepted(::accept4(sockfd(), address, size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (accepted)
        short_of_means_ = false;
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        shed();
    return accepted;
}

Poco::Net::SocketImpl* Listener::guarded(Descriptor& accepted, const Poco::Net::SocketAddress& client) {
    try {
        auto* socket = new GuardedSocket(accepted.get(), client, front_);
        static_cast<void>(accepted.release());
        return socket;
    } catch (const std::bad_alloc&) {
        bool counted = true;
        front_.connections.remove(counted);
        throw;
    }
}

void Listener::refuse(const Descriptor& client) { turnAway(client.get(), front_.options.security_headers); }

// Out of descriptors or memory: waiting clients stay readable, so accept would spin. They are turned away
// one by one on the descriptor that is kept for this, and then there is a pause.
void Listener::shed() {
    if (!std::exchange(short_of_means_, true))
        front_.log(
            "cannot accept connections: out of file descriptors or memory; raise the limit or lower "
            "server.max_connections");
    if (spare_ >= 0) ::close(spare_);
    for (int n = 0; n < kMostShedAtOnce; ++n) {
        const Descriptor client(::accept4(sockfd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client) break;
        refuse(client);
    }
    spare_ = openSpare();
    pollfd closing{front_.ending.closing_seen.fd(), POLLIN, 0};
    ::poll(&closing, 1, static_cast<int>(kAcceptPause.count()));
}

}  // namespace stepper::http
