// What the parts of redact.cpp share: a secret found in a text, and where words begin.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

namespace stepper::prompt {

// text[begin, end) is to be replaced.
struct Secret {
    size_t begin;
    size_t end;
    std::string_view kind;
};

inline bool isDigit(char c) { return c >= '0' && c <= '9'; }
inline bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool isAlnum(char c) { return isDigit(c) || isLetter(c); }
inline bool isUrlSafe(char c) { return isAlnum(c) || c == '_' || c == '-'; }
inline bool isSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

template <class Predicate>
size_t runEnd(std::string_view text, size_t from, Predicate inside) {
    while (from < text.size() && inside(text[from])) ++from;
    return from;
}

// No token continues into text[at]. A diff marker at the start of a line and the letter of an escaped newline
// or tab are no part of a token. Tokens are runs of URL-safe characters, so no run is entered twice: that is
// what keeps the matchers linear.
bool isTokenStart(std::string_view text, size_t at);

// A token of a known format that starts at text[at], which must be a token start.
std::optional<Secret> knownToken(std::string_view text, size_t at);

// Finds literals assigned to secret-sounding names. One per text, asked from left to right.
class AssignmentMatcher {
public:
    // How a value is written decides how much evidence it takes to call it a secret.
    enum class Form {
        Literal,  // quoted, or the rest of a line or of a shell, query or YAML entry
        Bare,     // could as well be an expression of some language
    };
    struct Value {
        size_t begin;
        size_t end;
        Form form;
    };

    explicit AssignmentMatcher(std::string_view text) : text_(text) {}

    // The secret that the ':' or '=' at text[op] assigns.
    std::optional<Secret> at(size_t op);

private:
    std::optional<Value> bareValue(size_t op, size_t begin);
    size_t bareEnd(size_t from);

    std::string_view text_;
    size_t bare_end_ = 0;  // end of the last unquoted value read, so that "token:token:token:" is read once
};

}  // namespace stepper::prompt
