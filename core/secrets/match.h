// What the parts of redact.cpp share: a secret found in a text, and the classes of characters.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stepper::secrets {

// text[begin, end) is to be replaced.
struct Secret {
    size_t begin;
    size_t end;
    std::string_view kind;
};

namespace chars {

enum Class : uint8_t { Digit = 1, Upper = 2, Lower = 4, UrlExtra = 8, Space = 16, Quote = 32 };

constexpr std::array<uint8_t, 256> kClasses = [] {
    std::array<uint8_t, 256> out{};
    for (int c = '0'; c <= '9'; ++c) out[static_cast<size_t>(c)] = Digit;
    for (int c = 'A'; c <= 'Z'; ++c) out[static_cast<size_t>(c)] = Upper;
    for (int c = 'a'; c <= 'z'; ++c) out[static_cast<size_t>(c)] = Lower;
    for (const char c : {'_', '-'}) out[static_cast<size_t>(c)] = UrlExtra;
    for (const char c : {' ', '\t', '\n', '\r'}) out[static_cast<size_t>(c)] = Space;
    for (const char c : {'"', '\'', '`'}) out[static_cast<size_t>(c)] = Quote;
    return out;
}();

constexpr bool is(char c, int classes) { return (kClasses[static_cast<unsigned char>(c)] & classes) != 0; }

}  // namespace chars

constexpr bool isDigit(char c) { return chars::is(c, chars::Digit); }
constexpr bool isUpper(char c) { return chars::is(c, chars::Upper); }
constexpr bool isLower(char c) { return chars::is(c, chars::Lower); }
constexpr bool isLetter(char c) { return chars::is(c, chars::Upper | chars::Lower); }
constexpr bool isAlnum(char c) { return chars::is(c, chars::Digit | chars::Upper | chars::Lower); }
constexpr bool isUrlSafe(char c) {
    return chars::is(c, chars::Digit | chars::Upper | chars::Lower | chars::UrlExtra);
}
constexpr bool isSpace(char c) { return chars::is(c, chars::Space); }
constexpr bool isQuote(char c) { return chars::is(c, chars::Quote); }
constexpr bool isBlank(char c) { return c == ' ' || c == '\t'; }
constexpr char lowerOf(char c) { return isUpper(c) ? static_cast<char>(c | 0x20) : c; }

template <class Predicate>
size_t runEnd(std::string_view text, size_t from, Predicate inside) {
    while (from < text.size() && inside(text[from])) ++from;
    return from;
}

// Back from `from`, over at most `most` characters.
template <class Predicate>
size_t runBegin(std::string_view text, size_t from, size_t most, Predicate inside) {
    const size_t stop = from > most ? from - most : 0;
    while (from > stop && inside(text[from - 1])) --from;
    return from;
}

}  // namespace stepper::secrets
