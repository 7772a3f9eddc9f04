// What a libcurl failure means for the caller. Internal to core/transport.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "core/base/error.h"

namespace stepper::transport {

struct CallFailure {
    CURLcode code;
    int os_error = 0;          // errno of the failed connect, 0 when there is none
    std::string_view problem;  // libcurl's own words; used only for TLS, where they hold no part of the URL
    bool head_seen = false;    // the response's status and headers were complete
    uint64_t body_bytes = 0;   // decoded bytes of the body that had arrived
    int proxy_status = 0;      // a proxy's answer to CONNECT, 0 when there was none
};

// `peer` is "host:port". OPERATION_TIMEDOUT is the caller's: it knows which limit and how long it was.
Error errorOf(const CallFailure& failure, const std::string& peer);

// This machine refuses what a call takes; `what` says which part of it, as far as it is known.
Error refusedHere(const std::string& peer, std::string_view what = {});

}  // namespace stepper::transport
