// By which way a call leaves this machine: directly or through a proxy. Pure. Internal to core/transport.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepper::transport {

// Whether an environment's NO_PROXY names the host: "*", a domain and all below it ("example.com",
// ".example.com", "*.example.com"), an address or a network ("10.0.0.0/8", "fd00::/8"), each perhaps with a
// port, separated by commas or blanks. Our own, since libcurl knows neither ports nor IPv6 networks there.
bool isExempt(std::string_view host, uint16_t port, std::string_view no_proxy);

// As libcurl takes it: a proxy's URL, empty for none, nothing for what the environment says. `wanted` is the
// request's in the same terms, and is used whatever NO_PROXY says. Neither has a say in calls to this
// machine: they would lead a key out of it.
std::optional<std::string> proxyFor(std::string_view host, uint16_t port, std::optional<std::string> wanted,
                                    std::string_view no_proxy);

}  // namespace stepper::transport
