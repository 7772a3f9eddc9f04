// Where a server is: names, IP addresses and ports as people write them. Pure functions, safe from any
// thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stepper {

struct Endpoint {
    std::string host;  // a name or an address, without brackets
    uint16_t port = 0;
    bool operator==(const Endpoint&) const = default;
};

// "127.0.0.1:3001", "[::1]:3001", "localhost:0". An IPv6 address needs its brackets: ::1:3001 could be
// either.
std::optional<Endpoint> parseEndpoint(std::string_view text);

// As it stands in a URL or before a port: an IPv6 address in brackets, the % of its zone as %25 (RFC 6874).
std::string bracketed(std::string_view host);

// The host in a URL, without brackets, user and port; empty when there is none.
std::string_view hostOf(std::string_view url);

// The usual form of an IP address (brackets are taken off, IPv4 within IPv6 becomes IPv4); none for a name.
std::optional<std::string> plainAddress(std::string_view text);

// How hosts are compared: without a dot at the end, an address in its usual form without zone, a name in
// lower case. None for "" and for what has more than a host in it, such as a port.
std::optional<std::string> plainHost(std::string_view text);

// Whether the host can only be the machine itself: 127/8, ::1, localhost and what is below it (RFC 6761), and
// the names that /etc/hosts files give them.
bool isLoopback(std::string_view host);

}  // namespace stepper
