#include "core/transport/way.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <arpa/inet.h>

#include "core/base/endpoint.h"
#include "core/base/text.h"

namespace stepper::transport {
namespace {

// Connecting to "any address" reaches this machine.
bool isThisMachine(std::string_view host) {
    const auto address = plainAddress(host);
    return isLoopback(host) || address == "0.0.0.0" || address == "::";
}

// In network order, 4 or 16 of them; empty when it is no address.
std::vector<unsigned char> bytesOf(std::string_view text) {
    const auto plain = plainAddress(text);
    if (!plain) return {};
    const std::string address = plain->substr(0, plain->find('%'));
    std::array<unsigned char, 16> raw;
    if (::inet_pton(AF_INET, address.c_str(), raw.data()) == 1) return {raw.begin(), raw.begin() + 4};
    ::inet_pton(AF_INET6, address.c_str(), raw.data());
    return {raw.begin(), raw.end()};
}

bool sameStart(const std::vector<unsigned char>& a, const std::vector<unsigned char>& b, size_t bits) {
    if (a.size() != b.size() || bits > a.size() * 8) return false;
    const size_t whole = bits / 8, rest = bits % 8;
    if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool isInNetwork(const std::vector<unsigned char>& address, std::string_view network) {
    const size_t slash = network.find('/');
    const auto base = bytesOf(network.substr(0, slash));
    if (slash == std::string_view::npos) return address == base;
    const std::string_view digits = network.substr(slash + 1);
    size_t bits = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, bits);
    return error == std::errc{} && stop == end && sameStart(address, base, bits);
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
    const auto address = bytesOf(host);
    return address.empty() ? isWithinDomain(host, name) : isInNetwork(address, name);
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
