#include "core/secrets/values.h"

#include <algorithm>
#include <string>

#include "core/base/text.h"
#include "core/secrets/redact.h"

namespace stepper::secrets {
namespace {

// As much of a value as is looked at to judge it.
constexpr size_t kValueWindow = 64;

template <class Words>
bool anyOf(const Words& words, auto matches) {
    return std::any_of(std::begin(words), std::end(words), matches);
}

// xxxx-xxxx, ********, %2A%2A
bool isOneCharacter(std::string_view v) {
    char only = 0;
    for (size_t i = 0; i < v.size(); ++i) {
        if (v[i] == '-' || v[i] == '_') continue;
        const bool star = v.substr(i).starts_with("%2A") || v.substr(i).starts_with("%2a");
        const char c = star ? '*' : lowerOf(v[i]);
        if (star) i += 2;
        if (only != 0 && c != only) return false;
        only = c;
    }
    return only == 0 || !isDigit(only);
}

bool isPercentEncoded(std::string_view v) {
    const auto isHex = [](char c) { return isDigit(c) || (lowerOf(c) >= 'a' && lowerOf(c) <= 'f'); };
    return v.size() >= 3 && v[0] == '%' && isHex(v[1]) && isHex(v[2]);
}

bool isReference(std::string_view v) {
    constexpr std::string_view kCode[] = {"process.env", "os.environ",  "os.getenv",  "getenv",   "env.",
                                          "env(",        "import.meta", "system.get", "secrets.", "vars.",
                                          "config.",     "settings.",   "this.",      "self."};
    const std::string start = lower(v.substr(0, 16));
    if (anyOf(kCode, [&](auto code) { return start.starts_with(code); })) return true;
    if (v.front() == '%') return v.back() == '%' || !isPercentEncoded(v);
    return std::string_view("${<[").find(v.front()) != v.npos || v.find("{{") != v.npos ||
           v.find("${") != v.npos || v.find("://") != v.npos;
}

// Secrets may begin with a slash, but the short ones that do are paths.
bool isPath(std::string_view v) {
    return v.starts_with("./") || v.starts_with("../") || v.starts_with("~/") ||
           (v.front() == '/' && v.size() < 40);
}

// token2, cfg.auth.v2Token, ns::kSecret1: in each part, letters and digits hardly take turns.
bool isCodeName(std::string_view v) {
    size_t turns = 0;
    for (size_t i = 0; i < v.size(); ++i) {
        if (!isUrlSafe(v[i]) && std::string_view(".:$@*").find(v[i]) == std::string_view::npos) return false;
        if (v[i] == '.' || v[i] == ':') turns = 0;
        const bool turn = i > 0 && isAlnum(v[i - 1]) && isAlnum(v[i]) && isDigit(v[i - 1]) != isDigit(v[i]);
        if (turn && ++turns > 2) return false;
    }
    return true;
}

bool hasInnerSymbol(std::string_view v) {
    while (!v.empty() && std::string_view("!?.:").find(v.back()) != std::string_view::npos)
        v.remove_suffix(1);
    return v.find_first_of("!@#$%^&*+?~") != v.npos;
}

// correcthorsebatterystaple, but no name of a field or of a message.
bool isWordsInARow(std::string_view v) {
    constexpr size_t kShortest = 16;
    constexpr std::string_view kOfCode[] = {"pass", "secret", "token", "key",   "user",
                                            "auth", "field",  "input", "valid", "confirm"};
    return v.size() >= kShortest && std::all_of(v.begin(), v.end(), isLower) &&
           !anyOf(kOfCode, [&](auto word) { return v.find(word) != v.npos; });
}

bool isUuid(std::string_view v) {
    return v.size() == 36 && v[8] == '-' && v[13] == '-' && v[18] == '-' && v[23] == '-';
}

// base64 of user:password, as Docker and npm keep it.
bool isUserAndPassword(std::string_view v) {
    std::string plain;
    uint32_t bits = 0;
    int have = 0;
    while (v.ends_with('=')) v.remove_suffix(1);
    for (const char c : v) {
        constexpr std::string_view kDigits =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const size_t digit = kDigits.find(c);
        if (digit == kDigits.npos) return false;
        bits = bits << 6 | static_cast<uint32_t>(digit);
        if ((have += 6) < 8) continue;
        have -= 8;
        plain += static_cast<char>(bits >> have & 0xFF);
    }
    return plain.find(':') != plain.npos &&
           std::all_of(plain.begin(), plain.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

bool isLongAndRandom(std::string_view v) {
    return !isCodeName(v) && !isUuid(v) && std::all_of(v.begin(), v.end(), [](char c) {
        return isUrlSafe(c) || std::string_view("+/=:.~").find(c) != std::string_view::npos;
    });
}

}  // namespace

bool isPlaceholder(std::string_view v) {
    constexpr std::string_view kWords[] = {"",        "none",     "null",  "nil",    "undefined",
                                           "true",    "false",    "yes",   "string", "password",
                                           "passwd",  "secret",   "token", "apikey", "api_key",
                                           "api-key", "changeit", "pass",  "pwd"};
    constexpr std::string_view kParts[] = {"changeme",    "change-me", "change_me", "replaceme", "replace-",
                                           "replace_",    "replace ",  "dummy",     "redacted",  "insert-",
                                           "insert_",     "...",       "\u2026",    "-here",     "_here",
                                           "placeholder", "example-",  "example_",  "-example",  "_example"};
    const std::string word = lower(v.substr(0, kValueWindow));
    if (std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords)) return true;
    return word.starts_with("your") || word.starts_with('<') || isOneCharacter(word) ||
           anyOf(kParts, [&](auto part) { return word.find(part) != word.npos; });
}

bool looksPassword(std::string_view v) { return !v.empty() && !isReference(v) && !isPlaceholder(v); }

bool looksSecret(std::string_view v, Form form, const NameRule& name) {
    if (v.size() < name.min_length) return false;
    if (name.values == Values::Base64) return isUserAndPassword(v);
    v = v.substr(0, kValueWindow);
    if (isReference(v) || isPath(v) || isPlaceholder(v)) return false;
    const bool letter = std::any_of(v.begin(), v.end(), isLetter);
    const bool digit = std::any_of(v.begin(), v.end(), isDigit);
    if (form == Form::Bare) return v.size() >= 8 && letter && digit && !isCodeName(v);
    switch (name.values) {
        case Values::Human: return digit || (letter && hasInnerSymbol(v)) || isWordsInARow(v);
        case Values::Key: return letter && digit && isLongAndRandom(v);
        default: return letter && digit;
    }
}

}  // namespace stepper::secrets
