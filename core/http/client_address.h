// Whom a request comes from when it came through proxies. Pure. Internal to core/http.
#pragma once
#include <string>
#include <string_view>

#include "core/base/trusted_proxies.h"

namespace stepper::http {

// `connected` is the other end of the connection, `forwarded_for` the X-Forwarded-For header: from the right,
// each proxy's word on whom it was called by. It is believed for as long as the proxies are trusted; an entry
// that is no address (some add a port, which is left away) ends that. In plainAddress() form.
std::string clientAddress(const std::string& connected, std::string_view forwarded_for,
                          const TrustedProxies& trusted);

}  // namespace stepper::http
