// A response as bytes: status line, headers, Content-Length, body.
#pragma once
#include <string>
#include <string_view>

#include "core/http/http.h"

namespace stepper::http {

struct Envelope {
    std::string_view request_id;
    const Headers& add;  // on top of the response's own
    bool keep_alive;
    bool head_only;  // the answer to HEAD: the length, not the body
    bool security_headers;
};

// A handler's header that would break the framing (or is ours to set) is left out.
std::string serialise(const Response& response, const Envelope& envelope);

}  // namespace stepper::http
