// The listening socket: hands out GuardedSockets. When all places are taken an idle connection makes room for
// the new one; when none is idle the new one is turned away with a 503.
#pragma once
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>

#include "core/http/front.h"

namespace stepper::http {

// Used by Poco's accept thread.
class Listener final : public Poco::Net::ServerSocketImpl {
public:
    // Throws Poco exceptions when it cannot listen there.
    explicit Listener(Front& front);

    // False at once when the server is closing.
    bool poll(const Poco::Timespan& timeout, int mode) override;
    // Throws Poco::TimeoutException, which Poco's loop ignores, when this time there is nobody to serve.
    Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress& client) override;

private:
    ~Listener() override;
    int acceptOne(Poco::Net::SocketAddress& client);
    bool findRoom();
    Poco::Net::SocketImpl* guarded(int fd, const Poco::Net::SocketAddress& client);
    void refuse(int fd);
    void shed();

    Front& front_;
    int spare_;  // given up for a moment when descriptors run out, to tell clients so
    bool short_of_means_ = false;
};

class ListeningSocket final : public Poco::Net::ServerSocket {
public:
    explicit ListeningSocket(Front& front) : ServerSocket(new Listener(front), true) {}
};

}  // namespace stepper::http
