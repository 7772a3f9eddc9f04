#include "core/secrets/names.h"

#include <algorithm>
#include <bitset>

#include "core/base/text.h"
#include "core/secrets/redact.h"

namespace stepper::secrets {
namespace {

using enum Values;

constexpr NameRule kRules[] = {
    {"secretaccesskey", "aws-secret-key", 16, Machine},
    {"password", "password", 6, Human},
    {"passwd", "password", 6, Human},
    {"passphrase", "password", 6, Human},
    {"passcode", "password", 6, Human},
    {"pwd", "password", 6, Human},
    {"pass", "password", 6, Human},
    {"apikey", "api-key", 8, Machine},
    {"accesskey", "api-key", 8, Machine},
    {"accountkey", "api-key", 8, Machine},
    {"secretkey", "secret", 8, Machine},
    {"secretkeybase", "secret", 8, Machine},
    {"privatekey", "secret", 8, Machine},
    {"encryptionkey", "secret", 8, Machine},
    {"signingkey", "secret", 8, Machine},
    {"masterkey", "secret", 8, Machine},
    {"authkey", "secret", 8, Machine},
    {"storagekey", "secret", 16, Machine},
    {"sharedkey", "secret", 8, Machine},
    {"jwtkey", "secret", 8, Machine},
    {"secret", "secret", 8, Machine},
    {"secrets", "secret", 8, Machine},
    {"token", "token", 8, Machine},
    {"auth", "docker-auth", 12, Base64},
    {"key", "key", 16, Key},
};

// Words that end like a secret's name and are none.
constexpr std::string_view kNoPass[] = {"bypass",    "compass",  "surpass",   "trespass",
                                        "encompass", "overpass", "underpass", "multipass"};
// What kinds of keys are for everybody to see.
constexpr std::string_view kOpenKeys[] = {
    "public", "pub", "primary", "foreign", "cache", "sort", "partition",   "routing",  "object", "unique",
    "index",  "gpg", "pgp",     "host",    "known", "row",  "idempotency", "registry", "bucket"};

size_t pairOf(char a, char b) {
    return static_cast<size_t>(static_cast<unsigned char>(a)) << 8 | static_cast<unsigned char>(b);
}

const std::bitset<1u << 16>& endings() {
    static const auto built = [] {
        std::bitset<1u << 16> out;
        for (const NameRule& rule : kRules) {
            const char a = rule.suffix[rule.suffix.size() - 2], b = rule.suffix.back();
            const auto upper = [](char c) { return static_cast<char>(c & ~0x20); };
            for (const char first : {a, upper(a)})
                for (const char last : {b, upper(b)}) out.set(pairOf(first, last));
        }
        return out;
    }();
    return built;
}

bool isUpperSnake(std::string_view name) { return std::none_of(name.begin(), name.end(), isLower); }

bool isAny(std::string_view word, std::span<const std::string_view> of) {
    return std::find(of.begin(), of.end(), word) != of.end();
}

// APP_KEY and the like, as the environment has them; "key" alone is the name of anything.
bool isEnvironmentKey(std::string_view name) {
    constexpr std::string_view kEnd = "_KEY";
    while (name.starts_with('-')) name.remove_prefix(1);
    if (!name.ends_with(kEnd) || name.size() == kEnd.size() || !isUpperSnake(name)) return false;
    const std::string words = lower(name.substr(0, name.size() - kEnd.size()));
    for (size_t begin = 0; begin <= words.size();) {
        const size_t end = std::min(words.find('_', begin), words.size());
        if (isAny(std::string_view(words).substr(begin, end - begin), kOpenKeys)) return false;
        begin = end + 1;
    }
    return true;
}

bool applies(const NameRule& rule, std::string_view folded, std::string_view name) {
    if (!folded.ends_with(rule.suffix)) return false;
    switch (rule.values) {
        case Base64: return folded == rule.suffix;
        case Key: return isEnvironmentKey(name);
        case Human:
            return rule.suffix != "pass" || std::none_of(std::begin(kNoPass), std::end(kNoPass),
                                                         [&](auto word) { return folded.ends_with(word); });
        case Machine: break;
    }
    return !folded.ends_with("publictoken");
}

}  // namespace

bool endsNoRule(char before_last, char last) { return !endings().test(pairOf(before_last, last)); }

const NameRule* ruleFor(std::string_view name) {
    if (name.size() > kNameWindow) name.remove_prefix(name.size() - kNameWindow);
    std::array<char, kNameWindow> buffer;
    size_t size = 0;
    for (const char c : name)
        if (c != '_' && c != '-') buffer[size++] = lowerOf(c);
    const std::string_view folded(buffer.data(), size);
    for (const NameRule& rule : kRules)
        if (applies(rule, folded, name)) return &rule;
    return nullptr;
}

bool isSecretName(std::string_view name) {
    if (ruleFor(name)) return true;
    const std::string word = lower(name);
    constexpr std::string_view kParts[] = {"key",    "token",      "secret", "password",
                                           "passwd", "passphrase", "pwd",    "authorization",
                                           "cookie", "credential", "auth_"};
    return std::any_of(std::begin(kParts), std::end(kParts),
                       [&](auto part) { return word.find(part) != std::string::npos; });
}

}  // namespace stepper::secrets
