// Small text helpers over std::string_view. Pure functions, ASCII case rules, safe from any thread.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stepper {

// A set of bytes that is asked for each byte of a text.
class CharSet {
public:
    constexpr explicit CharSet(std::string_view members) {
        for (const char c : members) has_[static_cast<unsigned char>(c)] = true;
    }
    constexpr bool operator()(char c) const { return has_[static_cast<unsigned char>(c)]; }

private:
    std::array<bool, 256> has_{};
};

// RFC 9110: what an HTTP method or a header's name consists of.
inline constexpr CharSet isTokenChar(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");
bool isToken(std::string_view s);

std::string_view trim(std::string_view s);
// Nothing in it but white space as Unicode has it, and characters without a width; s is valid UTF-8.
bool isBlank(std::string_view s);
std::string lower(std::string_view s);
bool equalsIgnoreCase(std::string_view a, std::string_view b);
std::vector<std::string_view> splitLines(std::string_view s);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool isValidUtf8(std::string_view s);
// Every ill-formed sequence replaced by U+FFFD.
std::string toValidUtf8(std::string_view s);
// At most `max_bytes` of s, cut at a character boundary.
std::string_view utf8Prefix(std::string_view s, size_t max_bytes);
// Number of code points of a valid UTF-8 text.
size_t utf8Length(std::string_view s);

// The candidate closest to `word` by edit distance, if close enough to be a likely slip.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace stepper
