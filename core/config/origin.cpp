#include "core/config/origin.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/base/text.h"

namespace stepper::config {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool isScheme(std::string_view s) {
    return !s.empty() && isLetter(s.front()) && std::all_of(s.begin(), s.end(), [](char c) {
        return isLetter(c) || isDigit(c) || c == '+' || c == '-' || c == '.';
    });
}

// Where the port's colon is, or npos. The colons of an IPv6 address stand in brackets.
size_t portColon(std::string_view authority) {
    const size_t bracket = authority.rfind(']');
    return authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
}

bool isPort(std::string_view s) {
    unsigned port = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), port);
    return error == std::errc{} && end == s.data() + s.size() && port <= 65'535 && s.front() != '0';
}

std::optional<std::string> hostProblem(std::string_view host) {
    if (host.empty()) return "it has no host; write https://app.example.com";
    if (host.find('*') != std::string_view::npos)
        return "patterns are not supported; list every origin, or \"*\" alone for all";
    if (!std::all_of(host.begin(), host.end(), [](char c) { return c > ' ' && c < 0x7F; }))
        return "browsers write such a host in ASCII; write its xn-- form";
    if (host.front() == '[' && host.back() == ']') return std::nullopt;
    if (!std::all_of(host.begin(), host.end(),
                     [](char c) { return isLetter(c) || isDigit(c) || c == '-' || c == '.' || c == '_'; }))
        return "that is no host's name; write scheme://host or scheme://host:port";
    return std::nullopt;
}

}  // namespace

std::optional<std::string> originProblem(std::string_view origin) {
    if (origin == "*") return std::nullopt;
    if (equalsIgnoreCase(origin, "null"))
        return "every sandboxed or local page has the origin null, whoever wrote it; name a real one";
    const size_t colon = origin.find("://");
    if (colon == std::string_view::npos || !isScheme(origin.substr(0, colon)))
        return fmt::format("it has no scheme; write https://{}",
                           origin.substr(std::min(origin.find_first_not_of(":/"), origin.size())));
    const std::string_view scheme = origin.substr(0, colon), rest = origin.substr(colon + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.find('@') != std::string_view::npos) return "it holds a user name";
    const size_t at = portColon(authority);
    const std::string_view host = authority.substr(0, at);
    if (auto problem = hostProblem(host)) return problem;
    if (authority.size() != rest.size())
        return fmt::format("an origin ends with its host and port; write {}://{}", scheme, authority);
    if (lower(origin) != origin)
        return fmt::format("browsers write it in lower case; write {}", lower(origin));
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view port = authority.substr(at + 1);
    if (!isPort(port)) return "it has no valid port after its colon";
    if ((scheme == "https" && port == "443") || (scheme == "http" && port == "80"))
        return fmt::format("browsers leave out that port; write {}://{}", scheme, host);
    return std::nullopt;
}

}  // namespace stepper::config
