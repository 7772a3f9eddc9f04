#include "core/http/client_address.h"

#include <optional>

#include "core/base/endpoint.h"
#include "core/base/text.h"

namespace stepper::http {
namespace {

// Some proxies write the port, too.
std::optional<std::string> addressOf(std::string_view hop) {
    if (auto address = plainAddress(hop)) return address;
    const auto endpoint = parseEndpoint(hop);
    return endpoint ? plainAddress(endpoint->host) : std::nullopt;
}

// Cuts the last entry off.
std::string_view takeLast(std::string_view& list) {
    const size_t comma = list.rfind(',');
    const size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    const std::string_view last = trim(list.substr(begin));
    list = list.substr(0, begin == 0 ? 0 : comma);
    return last;
}

}  // namespace

std::string clientAddress(const std::string& connected, std::string_view forwarded_for,
                          const TrustedProxies& trusted) {
    // A socket for both families calls an IPv4 client ::ffff:1.2.3.4.
    std::string client = plainAddress(connected).value_or(connected);
    for (size_t hop = 0; !forwarded_for.empty();) {
        const std::string_view entry = takeLast(forwarded_for);
        if (entry.empty()) continue;
        const auto address = Address::parse(client);
        if (!address || !trusted.trusts(*address, hop++)) break;
        auto before = addressOf(entry);
        if (!before) break;
        client = *std::move(before);
    }
    return client;
}

}  // namespace stepper::http
