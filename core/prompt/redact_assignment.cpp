#include <algorithm>
#include <string>

#include "core/base/text.h"
#include "core/prompt/redact_match.h"

namespace stepper::prompt {
namespace {

struct SecretName {
    std::string_view suffix;  // of the name, in lower case without '_' and '-'
    std::string_view kind;
    size_t min_length;              // of a value worth hiding
    bool chosen_by_people = false;  // may be digits alone, or have symbols instead of digits
};

constexpr SecretName kNames[] = {
    {"secretaccesskey", "aws-secret-key", 16},
    {"password", "password", 6, true},
    {"passwd", "password", 6, true},
    {"passphrase", "password", 6, true},
    {"pwd", "password", 6, true},
    {"apikey", "api-key", 8},
    {"accesskey", "api-key", 8},
    {"accountkey", "api-key", 8},
    {"secretkey", "secret", 8},
    {"privatekey", "secret", 8},
    {"secret", "secret", 8},
    {"token", "token", 8},
};

using Value = AssignmentMatcher::Value;
using Form = AssignmentMatcher::Form;

bool isQuote(char c) { return c == '"' || c == '\'' || c == '`'; }
bool endsBareValue(char c) {
    return isSpace(c) || isQuote(c) || std::string_view(",;(){}[]<>\\&|").find(c) != std::string_view::npos;
}

// The longest name looked at; a longer one is judged by its end.
constexpr size_t kNameWindow = 64;
// As much of a value as is looked at to judge it.
constexpr size_t kValueWindow = 64;

// The rule for the name that ends before text[op]: password, "api_key", env["TOKEN"].
const SecretName* nameBefore(std::string_view text, size_t op) {
    constexpr std::string_view kBetween = " \t\"'`\\]";
    size_t end = op;
    for (size_t skipped = 0; skipped < 8 && end > 0 && kBetween.find(text[end - 1]) != std::string_view::npos;
         ++skipped)
        --end;
    while (end > 0 && op - end < 16 && isDigit(text[end - 1])) --end;
    size_t begin = end;
    while (begin > 0 && end - begin < kNameWindow && isUrlSafe(text[begin - 1])) --begin;

    std::string folded = lower(text.substr(begin, end - begin));
    folded.erase(std::remove_if(folded.begin(), folded.end(), [](char c) { return c == '_' || c == '-'; }),
                 folded.end());
    const auto* rule = std::find_if(std::begin(kNames), std::end(kNames),
                                    [&](const SecretName& n) { return folded.ends_with(n.suffix); });
    return rule == std::end(kNames) ? nullptr : rule;
}

// First character after the operator at text[op]: ":", "=", ":=", "==", "===", "=>".
size_t operatorEnd(std::string_view text, size_t op) {
    return runEnd(text, op + 1, [](char c) { return c == '=' || c == '>'; });
}

bool opensQuote(std::string_view text, size_t at) {
    const std::string_view rest = text.substr(at, 2);
    return !rest.empty() && (isQuote(rest[0]) || (rest.size() == 2 && rest[0] == '\\' && isQuote(rest[1])));
}

// A quoted value that opens at text[at]; nothing when it holds white space, as sentences do. Inside a JSON
// string the quote itself is escaped, and a quote within the value twice.
std::optional<Value> quotedValue(std::string_view text, size_t at) {
    const size_t escapes = text[at] == '\\' ? 1 : 0;
    const size_t begin = at + escapes + 1;
    const char quote = text[begin - 1];
    size_t backslashes = 0;
    for (size_t i = begin; i < text.size() && !isSpace(text[i]); ++i) {
        if (text[i] == quote && backslashes % (2 * escapes + 2) == escapes)
            return Value{begin, i - escapes, Form::Literal};
        backslashes = text[i] == '\\' ? backslashes + 1 : 0;
    }
    return std::nullopt;
}

bool isPlaceholder(std::string_view v) {
    return std::string_view("${<%[").find(v.front()) != std::string_view::npos || v.find("{{") != v.npos ||
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

bool looksSecret(std::string_view v, Form form, const SecretName& name) {
    if (v.size() < name.min_length) return false;
    v = v.substr(0, kValueWindow);
    if (isPlaceholder(v) || isPath(v)) return false;
    const bool letter = std::any_of(v.begin(), v.end(), isLetter);
    const bool digit = std::any_of(v.begin(), v.end(), isDigit);
    if (form == Form::Bare) return v.size() >= 8 && letter && digit && !isCodeName(v);
    if (name.chosen_by_people) return digit || (letter && hasInnerSymbol(v));
    return letter && digit;
}

}  // namespace

size_t AssignmentMatcher::bareEnd(size_t from) {
    if (from >= bare_end_) bare_end_ = runEnd(text_, from, [](char c) { return !endsBareValue(c); });
    return bare_end_;
}

std::optional<AssignmentMatcher::Value> AssignmentMatcher::bareValue(size_t op, size_t begin) {
    const size_t end = bareEnd(begin);
    const char next = end < text_.size() ? text_[end] : '\n';
    const std::string_view value = text_.substr(begin, end - begin);
    if (value.empty() || std::string_view("([{<").find(next) != std::string_view::npos) return std::nullopt;

    const bool ends_line = next == '\n' || next == '\r' || next == '\\';
    const bool ends_entry = ends_line || isSpace(next) || isQuote(next) || next == '&' || next == ';';
    const bool spaced = isSpace(text_[begin - 1]) || isSpace(text_[op - 1]);
    // "token: user.auth0Token" ends a line of code as often as of YAML.
    const bool dotted = value.substr(0, kValueWindow).find('.') != std::string_view::npos;
    const bool literal = text_[op] == ':' ? ends_line && !dotted : ends_entry && !spaced;
    return Value{begin, end, literal ? Form::Literal : Form::Bare};
}

std::optional<Secret> AssignmentMatcher::at(size_t op) {
    if (text_.substr(op).starts_with("::")) return std::nullopt;
    const SecretName* name = nameBefore(text_, op);
    if (!name) return std::nullopt;

    const size_t begin = runEnd(text_, operatorEnd(text_, op), [](char c) { return c == ' ' || c == '\t'; });
    const auto value = opensQuote(text_, begin) ? quotedValue(text_, begin) : bareValue(op, begin);
    // A token that is known by its own format keeps the more telling kind.
    if (!value || knownToken(text_, value->begin)) return std::nullopt;
    if (!looksSecret(text_.substr(value->begin, value->end - value->begin), value->form, *name))
        return std::nullopt;
    return Secret{value->begin, value->end, name->kind};
}

}  // namespace stepper::prompt
