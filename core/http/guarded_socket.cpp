#include "core/http/guarded_socket.h"

#include <cstring>
#include <new>

#include <Poco/Net/NetException.h>

#include "core/base/result.h"
#include "core/http/turn_away.h"

namespace stepper::http {
namespace {

constexpr std::string_view kStandIn = "GET / HTTP/1.1\r\n\r\n";

}  // namespace

GuardedSocket::GuardedSocket(int fd, const Poco::Net::SocketAddress& peer, Front& front)
    : peer_(peer), front_(front), wire_(fd, front.ending), reader_(wire_, front.options, front.idle) {
    reset(fd);
}

// The count's lock also orders what the connection's thread did before this.
GuardedSocket::~GuardedSocket() {
    if (!has_thread_ && initialized()) turnAway(wire_.fd(), front_.options.security_headers);
    front_.connections.remove(counted_);
}

void GuardedSocket::close() {
    StreamSocketImpl::close();
    front_.connections.remove(counted_);
}

// Poco only polls for the next request to begin.
bool GuardedSocket::poll(const Poco::Timespan&, int) {
    has_thread_ = true;
    try {
        return reader_.awaitRequest();
    } catch (const std::bad_alloc&) {
        sayNoMemory();
        return false;
    }
}

// Poco only reads heads, into a buffer of its own that is larger than the stand-in.
int GuardedSocket::receiveBytes(void* buffer, int length, int) {
    has_thread_ = true;
    if (!readHead()) return 0;
    STEPPER_ASSERT(static_cast<size_t>(length) >= kStandIn.size());
    std::memcpy(buffer, kStandIn.data(), kStandIn.size());
    return static_cast<int>(kStandIn.size());
}

bool GuardedSocket::readHead() {
    try {
        current_ = reader_.readHead();
    } catch (const std::bad_alloc&) {
        current_.reset();
        sayNoMemory();
    }
    return current_.has_value();
}

void GuardedSocket::sayNoMemory() {
    if (wire_.send(kNoMemory, paceOf(front_.options)) == Io::Ok) wire_.linger();
}

int GuardedSocket::sendBytes(const void* buffer, int length, int) {
    const std::string_view bytes(static_cast<const char*>(buffer), static_cast<size_t>(length));
    if (wire_.send(bytes, paceOf(front_.options)) != Io::Ok) throw Poco::Net::ConnectionAbortedException();
    return length;
}

}  // namespace stepper::http
