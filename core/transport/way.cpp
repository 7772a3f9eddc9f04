#include "core/transport/way.h"

#include <algorithm>

#include "core/base/endpoint.h"
#include "core/base/network.h"
#include "core/base/text.h"

namespace stepper::transport {
namespace {

// Connecting to "any address" reaches this machine.
bool isThisMachine(std::string_view host) {
    const auto address = plainAddress(host);
    return isLoopback(host) || address == "0.0.0.0" || address == "::";
}

bool isWithinDomain(std::string_view host, std::string_view domain) {
    if (domain.starts_with("*.")) domain.remove_prefix(1);
    if (domain.starts_with('.')) domain.remove_prefix(1);
    if (domain.ends_with('.')) domain.remove_suffix(1);
    if (domain.empty() || host.size() < domain.size()) return false;
    const size_t before = host.size() - domain.size();
    return equalsIgnoreCase(host.substr(before), domain) && (before == 0 || host[before - 1] == '.');
}

bool names(std::string_view entry, std::string_view host, uint16_t port) {
    if (entry == "*") return true;
    const auto with_port = parseEndpoint(entry);
    if (with_port && with_port->port != port) return false;
    const std::string_view name = with_port ? std::string_view(with_port->host) : entry;
    const auto address = Address::parse(host);
    if (!address) return isWithinDomain(host, name);
    const auto network = Network::parse(name);
    return network && network->contains(*address);
}

}  // namespace

bool isExempt(std::string_view host, uint16_t port, std::string_view no_proxy) {
    if (host.ends_with('.')) host.remove_suffix(1);
    while (!no_proxy.empty()) {
        const size_t end = std::min(no_proxy.find_first_of(", \t"), no_proxy.size());
        if (names(no_proxy.substr(0, end), host, port)) return true;
        no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
    }
    return false;
}

std::optional<std::string> proxyFor(std::string_view host, uint16_t port, std::optional<std::string> wanted,
                                    std::string_view no_proxy) {
    if (isThisMachine(host)) return "";
    if (!wanted && isExempt(host, port, no_proxy)) return "";
    return wanted;
}

}  // namespace stepper::transport
