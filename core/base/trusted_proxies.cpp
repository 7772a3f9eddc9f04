#include "core/base/trusted_proxies.h"

#include <algorithm>
#include <charconv>

#include "core/base/text.h"

namespace stepper {
namespace {

struct Range {
    std::string_view name, network;
};
constexpr Range kRanges[] = {
    {"loopback", "127.0.0.0/8"},       {"loopback", "::1"},           {"linklocal", "169.254.0.0/16"},
    {"linklocal", "fe80::/10"},        {"uniquelocal", "10.0.0.0/8"}, {"uniquelocal", "172.16.0.0/12"},
    {"uniquelocal", "192.168.0.0/16"}, {"uniquelocal", "fc00::/7"},
};

// The number of hops that a word stands for.
std::optional<size_t> hopsOf(std::string_view word) {
    for (const char* all : {"true", "yes", "on"})
        if (equalsIgnoreCase(word, all)) return TrustedProxies::kAll;
    for (const char* none : {"false", "no", "off"})
        if (equalsIgnoreCase(word, none)) return 0;
    size_t n = 0;
    const char* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, n);
    if (error != std::errc{} || stop != end || n > TrustedProxies::kMostHops) return std::nullopt;
    return n;
}

}  // namespace

std::optional<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& words) {
    TrustedProxies out;
    if (words.size() > kMostWords) return std::nullopt;
    if (words.size() == 1)
        if (const auto hops = hopsOf(words.front())) {
            out.hops_ = *hops;
            return out;
        }
    for (const auto& word : words)
        if (!out.addNetworks(word)) return std::nullopt;
    out.words_ = words;
    return out;
}

bool TrustedProxies::addNetworks(const std::string& word) {
    const size_t before = networks_.size();
    for (const auto& range : kRanges)
        if (equalsIgnoreCase(word, range.name)) networks_.push_back(*Network::parse(range.network));
    if (networks_.size() > before) return true;
    const auto network = Network::parse(word);
    if (!network || network->bits() == 0) return false;  // all of them: true says so
    networks_.push_back(*network);
    return true;
}

bool TrustedProxies::trusts(const Address& address, size_t hop) const {
    return hop < hops_ ||
           std::ranges::any_of(networks_, [&](const Network& n) { return n.contains(address); });
}

}  // namespace stepper
