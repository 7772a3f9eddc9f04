// The listening socket: hands out GuardedSockets. When all places are taken, or the system gives no thread
// for one more, an idle connection makes room for the new one; when none is idle the new one is turned away
// with a 503.
#pragma once
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/ThreadPool.h>

#include "core/base/descriptor.h"
#include "core/http/front.h"

namespace stepper::http {

// Used by Poco's accept thread.
class Listener final : public Poco::Net::ServerSocketImpl {
public:
    // `threads` will serve the connections. Throws Poco exceptions when it cannot listen there.
    Listener(Front& front, Poco::ThreadPool& threads);

    // False at once when the server is closing.
    bool poll(const Poco::Timespan& timeout, int mode) override;
    // Throws Poco::TimeoutException, which Poco's loop ignores, when this time there is nobody to serve.
    Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress& client) override;

private:
    ~Listener() override;
    Descriptor acceptOne(sockaddr* address, socklen_t* size);
    bool findRoom();
    bool findThread();
    Poco::Net::SocketImpl* guarded(Descriptor& accepted, const Poco::Net::SocketAddress& client);
    void refuse(const Descriptor& client);
    void shed();

    Front& front_;
    Poco::ThreadPool& threads_;
    int spare_;  // given up for a moment when descriptors run out, to tell clients so
    bool short_of_means_ = false;
    bool short_of_threads_ = false;
    int quiet_polls_ = 0;
};

class ListeningSocket final : public Poco::Net::ServerSocket {
public:
    ListeningSocket(Front& front, Poco::ThreadPool& threads)
        : ServerSocket(new Listener(front, threads), true) {}
};

}  // namespace stepper::http
