// The head of one HTTP/1.x request, read strictly (RFC 9112) so that no proxy before us can see it
// differently. Pure functions, safe from any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/http/http.h"

namespace stepper::http {

// Why a request is not served. After one sent for a head or a body the connection closes: what follows on it
// cannot be trusted to start a request.
struct Reject {
    int status;
    std::string message;
};

struct Head {
    std::string method;
    std::string target;  // origin form, still encoded
    Headers headers;     // names in lower case, once each, what came in several lines joined with commas
    bool http10 = false;
    bool keep_alive = true;
    bool expect_continue = false;
    bool chunked = false;
    uint64_t content_length = 0;
    size_t size = 0;  // bytes it took, with the empty line

    bool hasBody() const { return chunked || content_length > 0; }
};

struct MoreBytes {};

// Looks at all bytes received so far; refuses what can no longer become a valid head as early as it can tell.
std::variant<MoreBytes, Reject, Head> scanHead(std::string_view bytes, size_t max_head);

// The value of that header, "" when there is none.
std::string_view find(const Headers& headers, std::string_view lower_name);

}  // namespace stepper::http
