// Whether a request that brings no key comes from a web page that has no business here. A browser lets a page
// send to any address, and to any name that its site lets lead there (DNS rebinding), but says which in Host
// and Origin. Pure functions, safe from any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stepper::api {

// Whether a Host header means this server: a name or an address of the machine itself, the address that was
// connected to, or one of `hosts` (config::Server). Ports do not matter: a forwarded one is another.
bool isOurHost(std::string_view header, std::string_view connected_to, const std::vector<std::string>& hosts);

// Whether an Origin header is that of a page which was loaded from there.
bool isSameHost(std::string_view origin, std::string_view host_header);

}  // namespace stepper::api
