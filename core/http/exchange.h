// One request, start to end: identify, filter, route, read, handle, answer, tell.
#pragma once
#include "core/http/front.h"
#include "core/http/guarded_socket.h"

namespace stepper::http {

// Answers the socket's current request on the calling thread; whether another may follow on the connection.
// Never throws.
bool serve(Front& front, GuardedSocket& socket) noexcept;

}  // namespace stepper::http
