// Tokens that are known by how they look.
#pragma once
#include <span>

#include "core/secrets/match.h"

namespace stepper::secrets {

enum class Body : uint8_t { Alnum, Word, UrlSafe, UpperDigit, Hex, Base64, Path };

struct Shape {
    std::string_view prefix;
    std::string_view kind;
    Body body;
    uint16_t min_length;       // of the body
    uint16_t max_length = 0;   // 0: no upper bound
    bool needs_digit = false;  // for prefixes that ordinary names have too ("sk-loading-spinner-wrapper")
};

// The first one that fits names the kind, so a longer prefix stands before a shorter one.
std::span<const Shape> shapes();

// A token that starts at text[at], where a word must begin.
std::optional<Secret> tokenAt(std::string_view text, size_t at);

}  // namespace stepper::secrets
