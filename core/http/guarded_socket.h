// The socket Poco is given for each accepted connection.
//
// Poco reads a request leniently and without total deadlines, answers what it dislikes without a body, and
// sends "100 Continue" on its own. So this socket reads the request itself and hands Poco a fixed, harmless
// one in its place: Poco runs the threads and the keep-alive loop, and has no second opinion on what the
// request was.
#pragma once
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocketImpl.h>

#include "core/http/front.h"
#include "core/http/request_reader.h"

namespace stepper::http {

// Counted in front.connections until closed. A client whose socket goes before any thread had it is turned
// away. Used by the connection's thread only, but any thread may drop the last reference after it is closed.
class GuardedSocket final : public Poco::Net::StreamSocketImpl {
public:
    // Owns the non-blocking socket, unless it throws; the caller has counted it.
    GuardedSocket(int fd, const Poco::Net::SocketAddress& peer, Front& front);

    // The request Poco's stand-in stands for.
    const std::variant<Reject, Head>& current() const { return *current_; }
    RequestReader& reader() { return reader_; }
    const Wire& wire() const { return wire_; }
    // In place of an answer; nothing more is read then. Takes no memory.
    void sayNoMemory();

    // Poco's calls. All others act on the plain socket and are harmless.
    using StreamSocketImpl::receiveBytes;
    using StreamSocketImpl::sendBytes;
    bool poll(const Poco::Timespan& timeout, int mode) override;
    int receiveBytes(void* buffer, int length, int flags) override;
    int sendBytes(const void* buffer, int length, int flags) override;
    void close() override;
    Poco::Net::SocketAddress peerAddress() override { return peer_; }

private:
    ~GuardedSocket() override;
    // Whether there is a request; a client whose head there is no memory for is told so.
    bool readHead();

    const Poco::Net::SocketAddress peer_;
    Front& front_;
    const Wire wire_;
    RequestReader reader_;
    std::optional<std::variant<Reject, Head>> current_;
    bool counted_ = true;
    bool has_thread_ = false;  // Poco found one to serve it
};

}  // namespace stepper::http
