#include "core/base/endpoint.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "core/base/text.h"

namespace stepper {
namespace {

std::optional<std::string_view> insideBrackets(std::string_view text) {
    if (text.size() < 3 || text.front() != '[' || text.back() != ']') return std::nullopt;
    return text.substr(1, text.size() - 2);
}

std::string printed(int family, const void* address) {
    std::array<char, INET6_ADDRSTRLEN> out;
    return ::inet_ntop(family, address, out.data(), out.size());
}

// inet_pton() takes no other form than the plain one: four numbers without leading zeros.
std::optional<std::string> plainV4(std::string text) {
    in_addr address;
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
    return text;
}

std::optional<std::string> plainV6(std::string_view text) {
    const size_t zone = std::min(text.find('%'), text.size());
    in6_addr address;
    if (::inet_pton(AF_INET6, std::string(text.substr(0, zone)).c_str(), &address) != 1) return std::nullopt;
    constexpr size_t kEmbeddedAt = 12;
    if (IN6_IS_ADDR_V4MAPPED(&address)) return printed(AF_INET, address.s6_addr + kEmbeddedAt);
    return printed(AF_INET6, &address).append(text.substr(zone));
}

}  // namespace

std::optional<Endpoint> parseEndpoint(std::string_view text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view written = text.substr(0, colon), digits = text.substr(colon + 1);
    const auto inside = insideBrackets(written);
    Endpoint out;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, out.port);
    if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
    const bool sound = inside ? inside->find(':') != std::string_view::npos && plainAddress(*inside)
                              : !written.empty() && written.find_first_of(" []:/@") == std::string_view::npos;
    if (!sound) return std::nullopt;
    out.host = inside.value_or(written);
    return out;
}

std::string bracketed(std::string_view host) {
    if (host.find(':') == std::string_view::npos || host.starts_with('[')) return std::string(host);
    const size_t zone = host.find('%');
    if (zone == std::string_view::npos) return "[" + std::string(host) + "]";
    return "[" + std::string(host.substr(0, zone)) + "%25" + std::string(host.substr(zone + 1)) + "]";
}

std::string_view hostOf(std::string_view url) {
    const size_t scheme = url.find("://");
    if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (const size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
    if (const size_t close = url.find(']'); url.starts_with('[') && close != std::string_view::npos)
        return url.substr(1, close - 1);
    return url.substr(0, url.find(':'));
}

std::optional<std::string> plainAddress(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return std::nullopt;  // inet_pton would stop there
    if (const auto inside = insideBrackets(text)) return plainV6(*inside);
    if (auto v4 = plainV4(std::string(text))) return v4;
    return plainV6(text);
}

std::optional<std::string> plainHost(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    if (const auto address = plainAddress(text)) return address->substr(0, address->find('%'));
    if (text.empty() || text.find_first_of(" []:/@") != std::string_view::npos) return std::nullopt;
    return lower(text);
}

bool isLoopback(std::string_view host) {
    if (const auto address = plainAddress(host)) return *address == "::1" || address->starts_with("127.");
    if (host.ends_with('.')) host.remove_suffix(1);
    const std::string name = lower(host);
    constexpr std::array kNames = {"localhost",
                                   "localhost.localdomain",
                                   "localhost4",
                                   "localhost6",
                                   "ip6-localhost",
                                   "ip6-loopback",
                                   "localhost4.localdomain4",
                                   "localhost6.localdomain6"};
    return name.ends_with(".localhost") || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace stepper
