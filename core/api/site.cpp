#include "core/api/site.h"

#include <algorithm>

#include "core/base/endpoint.h"
#include "core/base/text.h"

namespace stepper::api {
namespace {

std::optional<std::string> hostIn(std::string_view header) {
    const auto endpoint = parseEndpoint(header);
    return plainHost(endpoint ? std::string_view(endpoint->host) : header);
}

bool matches(std::string_view pattern, std::string_view host) {
    if (pattern == "*") return true;
    return pattern.starts_with("*.") ? host.ends_with(pattern.substr(1)) : host == pattern;
}

}  // namespace

bool isOurHost(std::string_view header, std::string_view connected_to,
               const std::vector<std::string>& hosts) {
    const auto host = hostIn(header);
    if (!host) return false;
    return isLoopback(*host) || host == plainHost(connected_to) ||
           std::any_of(hosts.begin(), hosts.end(), [&](const auto& h) { return matches(h, *host); });
}

bool isSameHost(std::string_view origin, std::string_view host_header) {
    const size_t scheme = origin.find("://");
    if (scheme == std::string_view::npos) return false;
    const auto name = origin.substr(0, scheme);
    return (name == "http" || name == "https") && equalsIgnoreCase(origin.substr(scheme + 3), host_header);
}

}  // namespace stepper::api
