#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/text.h"
#include "core/base/time_zone.h"
#include "core/config/formats.h"

namespace stepper::config {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds kShortestPause{10'000};
constexpr size_t kLongestZone = 64;  // longer words are no slips, and comparing them takes time

bool isProxyUrl(std::string_view url) {
    constexpr std::array kSchemes = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
    const size_t end = url.find("://");
    if (end == url.npos || std::ranges::find(kSchemes, lower(url.substr(0, end))) == kSchemes.end())
        return false;
    std::string_view rest = url.substr(end + 3);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const auto endpoint = parseEndpoint(rest.substr(rest.rfind('@') + 1));
    const bool plain = std::ranges::none_of(url, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
    return plain && endpoint && endpoint->port != 0;
}

}  // namespace

void format::name(const Value& v, std::string& out) {
    const auto s = v.text();
    if (!s) return;
    const bool well_formed = !s->empty() && s->size() <= 64 && std::all_of(s->begin(), s->end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!well_formed) return v.failExpected("1 to 64 characters of a-z, 0-9 and -");
    out = *s;
}

void format::timeZone(const Value& v, std::string& out) {
    const auto s = v.text();
    if (!s) return;
    if (TimeZone::find(*s)) {
        out = *s;
        return;
    }
    const auto names = TimeZone::names();
    if (names.empty()) return v.fail("the system has no time zones; install tzdata, or write UTC");
    if (!s->empty() && s->size() <= kLongestZone)
        if (const auto close = nearest(*s, names))
            return v.fail(fmt::format("unknown time zone; did you mean \"{}\"?", *close));
    v.failExpected("a time zone the system knows, such as UTC or America/Los_Angeles");
}

void format::proxy(const Value& v, std::optional<Secret>& out) {
    const auto s = v.text(Value::Unset::IsEmpty);
    if (!s) return;
    const std::string_view text = trim(*s);
    if (text.empty()) return;
    if (equalsIgnoreCase(text, "none") || equalsIgnoreCase(text, "direct")) {
        out.emplace();
        return;
    }
    const size_t at = text.rfind('@'), scheme = text.find("://");
    if (at != text.npos && scheme < at &&
        text.substr(scheme + 3, at - scheme - 3).find_first_of("/?#") != text.npos)
        return v.fail("in a user name or password write / as %2F, ? as %3F and # as %23");
    if (!isProxyUrl(text))
        return v.fail("expected http://HOST:PORT, https://, socks5:// or socks5h:// such, or none");
    out.emplace(std::string(text));
}

void format::pause(const Value& v, milliseconds& out) {
    const auto pause = v.duration(0ms, 24h);
    if (!pause) return;
    if (*pause > 0ms && *pause < kShortestPause) return v.fail("expected 0s, or at least 10s");
    out = *pause;
}

}  // namespace stepper::config
