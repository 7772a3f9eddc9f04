// The head of a response as bytes: status line and headers.
#pragma once
#include <string>
#include <string_view>

#include "core/http/http.h"

namespace stepper::http {

// How the client learns where the body ends.
enum class Framing { NoBody, Length, Chunked, UntilClose };

Framing framingOf(const Response& response, bool http10);

struct Envelope {
    std::string_view request_id;
    const Headers& add;  // on top of the response's own
    Framing framing;
    milliseconds keep_alive;  // how long the connection waits for another request; 0: it ends
    bool security_headers;
};

// A handler's header that would break the framing (or is ours to set) is left out.
std::string headOf(const Response& response, const Envelope& envelope);

}  // namespace stepper::http
