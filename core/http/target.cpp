#include "core/http/target.h"

#include <algorithm>
#include <charconv>

#include "core/base/text.h"

namespace stepper::http {
namespace {

bool isControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::optional<std::string> decode(std::string_view raw, bool plus_is_space) {
    std::string out;
    out.reserve(raw.size());
    for (size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '%') {
            out += plus_is_space && raw[i] == '+' ? ' ' : raw[i];
            continue;
        }
        const auto digits = raw.substr(i + 1, 2);
        unsigned char byte = 0;
        const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (error != std::errc{} || stop != digits.data() + 2) return std::nullopt;
        out += static_cast<char>(byte);
        i += 2;
    }
    if (!isValidUtf8(out)) return std::nullopt;
    return out;
}

std::vector<std::string_view> split(std::string_view s, char separator) {
    std::vector<std::string_view> out;
    for (;;) {
        const auto at = s.find(separator);
        out.push_back(s.substr(0, at));
        if (at == std::string_view::npos) return out;
        s.remove_prefix(at + 1);
    }
}

}  // namespace

std::optional<Target> parseTarget(std::string_view raw) {
    const auto question = raw.find('?');
    const auto raw_path = raw.substr(0, question);
    auto path = decode(raw_path, false);
    if (!path || std::any_of(path->begin(), path->end(), isControl)) return std::nullopt;

    Target out;
    out.path = std::move(*path);
    auto segments = split(raw_path, '/');
    segments.erase(segments.begin());  // before the leading slash
    if (!segments.empty() && segments.back().empty()) segments.pop_back();
    for (const auto segment : segments) {
        auto decoded = decode(segment, false);
        if (!decoded) return std::nullopt;
        out.segments.push_back(std::move(*decoded));
    }
    if (question == std::string_view::npos) return out;
    for (const auto pair : split(raw.substr(question + 1), '&')) {
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto key = decode(pair.substr(0, equals), true);
        auto value = decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
        if (!key || !value) return std::nullopt;
        out.query.emplace_back(std::move(*key), std::move(*value));
    }
    return out;
}

}  // namespace stepper::http
