#include "core/config/formats.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/store_url.h"
#include "core/base/text.h"
#include "core/config/origin.h"

namespace stepper::config {
namespace {

// None for what can be no host of an URL.
std::optional<std::string> hostPattern(std::string_view word) {
    constexpr std::string_view kBelow = "*.";
    if (word == "*") return "*";
    const bool below = word.starts_with(kBelow);
    const auto host = plainHost(below ? word.substr(kBelow.size()) : word);
    const bool sound = host && std::all_of(host->begin(), host->end(), [](unsigned char c) {
                           return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
                       });
    if (!sound || (below && plainAddress(*host))) return std::nullopt;
    return below ? std::string(kBelow) + *host : *host;
}

bool isSha256(std::string_view s) {
    return s.size() == 64 && s.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void format::listen(const Value& v, Server& out) {
    const auto s = v.text();
    if (!s) return;
    const auto endpoint = parseEndpoint(trim(*s));
    if (!endpoint) return v.failExpected("HOST:PORT such as 127.0.0.1:3001 or [::1]:3001, ports 0 to 65535");
    out.host = endpoint->host;
    out.port = endpoint->port;
}

void format::host(const Value& v, std::string& out) {
    const auto s = v.text();
    if (!s) return;
    std::string written(trim(*s));
    if (written.find(':') != std::string::npos && !written.starts_with('[')) written = "[" + written + "]";
    const auto endpoint = parseEndpoint(written + ":0");
    if (!endpoint)
        return v.failExpected("a name or an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::");
    out = endpoint->host;
}

void format::hosts(const Value& v, std::vector<std::string>& out) {
    read::words(v, out, [](const Value& at, const std::string& word) {
        auto host = hostPattern(word);
        if (!host)
            at.fail(
                fmt::format("\"{}\" is no host: write a name or an address without scheme and port, "
                            "*.example.com for all below it, or \"*\" for any",
                            word));
        return host;
    });
}

void format::storeUrl(const Value& v, std::string& out) {
    const auto s = v.text();
    if (!s) return;
    const std::string_view url = trim(*s);
    // The text is not shown: it may hold a password. A Redis is left to store::checkKind, which knows where
    // its address tends to come from.
    if (parseStoreUrl(url).kind == StoreUrl::Kind::Unknown) return v.fail("expected sqlite:PATH or memory:");
    out = url;
}

void format::keyPrefix(const Value& v, std::string& out) {
    const auto s = v.text();
    if (s) out = s->substr(0, s->find_last_not_of(':') + 1);
}

void format::headerName(const Value& v, std::string& out) {
    const auto s = v.text();
    if (!s) return;
    const bool well_formed = !s->empty() && std::all_of(s->begin(), s->end(), [](unsigned char c) {
        return std::isalnum(c) || c == '-' || c == '_';
    });
    if (!well_formed) return v.failExpected("the name of an HTTP header");
    out = *s;
}

void format::directory(const Value& v, std::filesystem::path& out) {
    if (const auto s = v.text()) out = *s;
}

void format::hashes(const Value& v, std::map<std::string, std::vector<std::string>>& out) {
    if (!v.node.isMapping()) return v.failExpected("a mapping from plugin files to their sha256");
    for (const auto& [stem, mark, child] : v.node.entries) {
        const Value value = v.at(stem, child);
        std::vector<std::string> words;
        read::words(value, words);
        for (auto& word : words) {
            word = lower(word);
            if (!isSha256(word)) value.fail("expected a sha256: 64 hexadecimal digits");
        }
        out[stem] = std::move(words);
    }
}

void format::origins(const Value& v, std::vector<std::string>& out) {
    read::words(v, out, [](const Value& at, const std::string& word) {
        const auto problem = originProblem(word);
        if (problem) at.fail(fmt::format("\"{}\" is no origin to allow: {}", word, *problem));
        return problem ? std::nullopt : std::optional(word);
    });
}

void format::trustedProxies(const Value& v, TrustedProxies& out) {
    std::vector<std::string> words;
    read::words(v, words);
    if (const auto read = TrustedProxies::parse(words))
        out = *read;
    else
        v.failExpected(
            "true, false, how many proxies stand in front, or their addresses and networks such as "
            "10.0.0.0/8, loopback, linklocal and uniquelocal with commas between");
}

}  // namespace stepper::config
