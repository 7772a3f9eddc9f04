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

// Reads one head, however small the pieces are that it arrives in: what was looked at is not read again and
// again. Used by one thread.
class HeadScanner {
public:
    explicit HeadScanner(size_t max_head) : max_head_(max_head) {}

    // `bytes` are all that were received so far; a call after MoreBytes continues. Refuses what can no longer
    // become a valid head as early as it can tell.
    std::variant<MoreBytes, Reject, Head> look(std::string_view bytes);

private:
    std::variant<MoreBytes, Reject, size_t> lineEnd(std::string_view bytes);
    Reject tooLarge() const;

    const size_t max_head_;
    size_t start_ = 0;    // of the request line
    size_t newline_ = 0;  // that ends it, once it is there and was found valid
    size_t from_ = 0;     // then: no head ends before
};

// Of bytes that are all there are.
inline std::variant<MoreBytes, Reject, Head> scanHead(std::string_view bytes, size_t max_head) {
    return HeadScanner(max_head).look(bytes);
}

// The value of that header, "" when there is none.
std::string_view find(const Headers& headers, std::string_view lower_name);

}  // namespace stepper::http
