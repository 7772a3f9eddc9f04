// stepper/kit/text.hpp - small text tools for plugins. Pure functions, ASCII case rules.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stepper::kit {

// Names in lower case, as the host delivers them.
using Headers = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, or empty.
inline std::string_view header(const Headers& headers, std::string_view lower_name) {
    for (const auto& [name, value] : headers)
        if (name == lower_name) return value;
    return {};
}

inline bool isDigit(char c) { return c >= '0' && c <= '9'; }
inline bool isAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

inline std::string_view trim(std::string_view s) {
    while (!s.empty() && isSpace(s.front())) s.remove_prefix(1);
    while (!s.empty() && isSpace(s.back())) s.remove_suffix(1);
    return s;
}

inline std::string lower(std::string_view s) {
    std::string out(s);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// True when the pieces of `pattern` between '*' occur in `s` in that order. Plain containment without a '*'.
inline bool contains(std::string_view s, std::string_view pattern) {
    for (size_t from = 0; !pattern.empty();) {
        const size_t star = pattern.find('*');
        const std::string_view piece = pattern.substr(0, star);
        const size_t found = s.find(piece, from);
        if (found == std::string_view::npos) return false;
        from = found + piece.size();
        pattern = star == std::string_view::npos ? std::string_view{} : pattern.substr(star + 1);
    }
    return true;
}

// Length of the well-formed UTF-8 sequence s starts with, or 0 (RFC 3629).
inline size_t utf8Length(std::string_view s) {
    const auto in = [&](size_t i, unsigned low, unsigned high) {
        return i < s.size() && static_cast<unsigned char>(s[i]) >= low &&
               static_cast<unsigned char>(s[i]) <= high;
    };
    if (in(0, 0x00, 0x7F)) return 1;
    if (in(0, 0xC2, 0xDF)) return in(1, 0x80, 0xBF) ? 2 : 0;
    if (in(0, 0xE0, 0xEF)) {
        const bool second = in(0, 0xE0, 0xE0)   ? in(1, 0xA0, 0xBF)
                            : in(0, 0xED, 0xED) ? in(1, 0x80, 0x9F)
                                                : in(1, 0x80, 0xBF);
        return second && in(2, 0x80, 0xBF) ? 3 : 0;
    }
    if (in(0, 0xF0, 0xF4)) {
        const bool second = in(0, 0xF0, 0xF0)   ? in(1, 0x90, 0xBF)
                            : in(0, 0xF4, 0xF4) ? in(1, 0x80, 0x8F)
                                                : in(1, 0x80, 0xBF);
        return second && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

// Every ill-formed byte replaced by U+FFFD.
inline std::string validUtf8(std::string_view s) {
    std::string out;
    out.reserve(s.size());
    while (!s.empty()) {
        const size_t n = utf8Length(s);
        out += n ? s.substr(0, n) : "\xEF\xBF\xBD";
        s.remove_prefix(n ? n : 1);
    }
    return out;
}

// At most max_bytes of a valid text, cut at a character.
inline std::string_view clip(std::string_view s, size_t max_bytes) {
    if (s.size() <= max_bytes) return s;
    while (max_bytes > 0 && (static_cast<unsigned char>(s[max_bytes]) & 0xC0) == 0x80) --max_bytes;
    return s.substr(0, max_bytes);
}

// What a reader sees of an HTML page: its title, or else its text without tags, scripts and styles.
inline std::string htmlText(std::string_view html) {
    const std::string low = lower(html);
    const size_t title = low.find("<title");
    if (const size_t open = low.find('>', title); title != std::string::npos && open != std::string::npos) {
        const size_t close = low.find('<', open);
        if (const auto text = trim(html.substr(open + 1, close - open - 1)); !text.empty())
            return std::string(text);
    }
    std::string out;
    for (size_t i = 0; i < html.size();) {
        if (html[i] != '<') {
            out += html[i++];
            continue;
        }
        const std::string_view name = std::string_view(low).substr(i + 1);
        for (const std::string_view tag : {"script", "style"})
            if (name.starts_with(tag)) i = std::min(low.find("</" + std::string(tag), i), low.size());
        i = std::min(low.find('>', i), low.size() - 1) + 1;
        out += ' ';
    }
    return out;
}

// Anything that looks like a key replaced by "[key]": known prefixes, what follows "Bearer", words a provider
// has starred out itself, and long words of mixed letters and digits.
inline std::string maskKeys(std::string_view s) {
    static constexpr std::array<std::string_view, 11> kPrefixes = {
        "sk-", "sk_", "AIza", "AQ.", "hf_", "nvapi-", "gsk_", "xai-", "csk-", "pplx-", "r8_"};
    const auto in_word = [](char c) {
        return isAlpha(c) || isDigit(c) || c == '-' || c == '_' || c == '.' || c == '*';
    };
    const auto is_key = [](std::string_view word, bool after_bearer) {
        const bool digit = std::any_of(word.begin(), word.end(), isDigit);
        const bool plain =
            std::all_of(word.begin(), word.end(), [](char c) { return isDigit(c) || isAlpha(c); });
        const bool mixed = digit && std::any_of(word.begin(), word.end(), isAlpha);
        if (word.find("***") != std::string_view::npos) return true;
        if (after_bearer && (digit || word.size() >= 20)) return true;
        if (plain && mixed && word.size() >= 32) return true;
        return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view p) {
            return word.starts_with(p) && word.size() >= p.size() + 4;
        });
    };
    std::string out;
    bool after_bearer = false;
    for (size_t i = 0; i < s.size();) {
        if (!in_word(s[i])) {
            out += s[i++];
            continue;
        }
        size_t end = i;
        while (end < s.size() && in_word(s[end])) ++end;
        while (end > i + 1 && s[end - 1] == '.') --end;
        const std::string_view word = s.substr(i, end - i);
        out += is_key(word, after_bearer) ? "[key]" : word;
        after_bearer = lower(word) == "bearer";
        i = end;
    }
    return out;
}

// A provider's text made fit for an error message: one line, valid UTF-8, no key in it, at most max_bytes.
inline std::string presentable(std::string_view s, size_t max_bytes = 300) {
    std::string line;
    for (const char c : validUtf8(s)) {
        const bool gap = isSpace(c) || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        if (!gap)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    return std::string(trim(clip(maskKeys(line), max_bytes)));
}

}  // namespace stepper::kit
