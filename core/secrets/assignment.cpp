#include "core/secrets/assignment.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/secrets/shapes.h"

namespace stepper::secrets {
namespace {

// Between a name and what assigns to it, or between a pair's name and its value.
constexpr size_t kMostBetween = 8, kMostToPair = 48;
constexpr size_t kValueWindow = 64;
constexpr size_t kMostLines = 64;  // of a block scalar

bool endsBareValue(char c) {
    return isSpace(c) || isQuote(c) || std::string_view(",;(){}[]<>\\&|").find(c) != std::string_view::npos;
}

bool isBetween(char c) { return isBlank(c) || isQuote(c) || c == '\\' || c == ']'; }

// First character after the operator at text[op]: ":", "=", ":=", "==", "===", "=>".
size_t operatorEnd(std::string_view text, size_t op) {
    return runEnd(text, op + 1, [](char c) { return c == '=' || c == '>'; });
}

size_t lineEnd(std::string_view text, size_t from) { return std::min(text.find('\n', from), text.size()); }

}  // namespace

// The name that ends before text[op]: password, "api_key", env["TOKEN"], token2.
std::optional<Assignments::Name> Assignments::nameBefore(size_t op) const {
    size_t end = runBegin(text_, op, kMostBetween, isBetween);
    end = runBegin(text_, end, 16, isDigit);
    if (end < 2) return std::nullopt;
    const char before_last = lowerOf(text_[end - 2]), last = lowerOf(text_[end - 1]);
    const bool is_pairs_value = before_last == 'u' && last == 'e';
    if (!is_pairs_value && endsNoRule(text_[end - 2], text_[end - 1])) return std::nullopt;
    const size_t begin = runBegin(text_, end, kNameWindow, isUrlSafe);
    if (is_pairs_value && equalsIgnoreCase(text_.substr(begin, end - begin), "value"))
        return nameOfPair(begin);
    // Parts of a resource's name: arn:...:secret:x
    if (text_[op] == ':' && begin > 0 && text_[begin - 1] == ':') return std::nullopt;
    const NameRule* rule = ruleFor(text_.substr(begin, end - begin));
    return rule ? std::optional(Name{rule, begin, end}) : std::nullopt;
}

// {"name": "DB_PASS", "value": ...}, key="DbPass" value=..., - name: DB_PASS\n  value: ...
std::optional<Assignments::Name> Assignments::nameOfPair(size_t value) const {
    const size_t end = runBegin(text_, value, kMostToPair, [](char c) {
        return isSpace(c) || isQuote(c) || c == ',' || c == '\\' || c == '+';
    });
    const size_t begin = runBegin(text_, end, kNameWindow, isUrlSafe);
    const size_t op =
        runBegin(text_, begin, kMostBetween, [](char c) { return isBetween(c) || c == ':' || c == '='; });
    const size_t word = runBegin(text_, op, 5, isUrlSafe);
    const std::string_view key = text_.substr(word, op - word);
    if (op == begin || (!equalsIgnoreCase(key, "name") && !equalsIgnoreCase(key, "key"))) return std::nullopt;
    const NameRule* rule = ruleFor(text_.substr(begin, end - begin));
    return rule ? std::optional(Name{rule, begin, end}) : std::nullopt;
}

// define('DB_PASSWORD', ...)
bool Assignments::isArgument(const Name& name) const {
    return name.begin >= 2 && isQuote(text_[name.begin - 1]) && text_[name.begin - 2] == '(';
}

// NAME=value as the whole of a line, as in .env files: there is no code in these.
bool Assignments::isEnvironment(const Name& name, size_t op) const {
    if (text_[op] != '=' || name.end != op || (op + 1 < text_.size() && text_[op + 1] == '=')) return false;
    const std::string_view written = text_.substr(name.begin, name.end - name.begin);
    if (std::any_of(written.begin(), written.end(), isLower)) return false;
    size_t start = name.begin;
    for (const std::string_view word : {"export ", "ENV ", "set "})
        if (text_.substr(0, start).ends_with(word)) start -= word.size();
    start = runBegin(text_, start, kMostBetween, [](char c) { return isBlank(c) || c == '+'; });
    return start == 0 || text_[start - 1] == '\n';
}

bool Assignments::opensQuote(size_t at) const {
    const std::string_view rest = text_.substr(at, 2);
    return !rest.empty() && (isQuote(rest[0]) || (rest.size() == 2 && rest[0] == '\\' && isQuote(rest[1])));
}

// A quoted value that opens at text[at]; nothing when it holds white space, as sentences do. Inside a JSON
// string the quote itself is escaped, and a quote within the value twice.
std::optional<Assignments::Value> Assignments::quotedValue(size_t at) const {
    const size_t escapes = text_[at] == '\\' ? 1 : 0;
    const size_t begin = at + escapes + 1;
    const char quote = text_[begin - 1];
    size_t backslashes = 0;
    for (size_t i = begin; i < text_.size() && !isSpace(text_[i]); ++i) {
        if (text_[i] == quote && backslashes % (2 * escapes + 2) == escapes)
            return Value{begin, i - escapes, Form::Literal};
        backslashes = text_[i] == '\\' ? backslashes + 1 : 0;
    }
    return std::nullopt;
}

// The lines of a YAML block scalar whose "|" or ">" is at text[at], without the indentation of the first.
std::optional<Assignments::Value> Assignments::blockValue(size_t at) const {
    const auto isIndent = [](char c) { return c == ' ' || c == '+'; };
    const size_t header = runEnd(text_, at + 1, [](char c) { return c == '-' || c == '+' || isDigit(c); });
    size_t line = runEnd(text_, header, [](char c) { return isBlank(c) || c == '\r'; });
    if (line >= text_.size() || text_[line] != '\n') return std::nullopt;
    const size_t begin = runEnd(text_, ++line, isIndent);
    const size_t indent = begin - line;
    // Sentences have blanks.
    size_t end = runEnd(text_, begin, [](char c) { return !isSpace(c); });
    if (indent == 0 || (end < text_.size() && isBlank(text_[end]))) return std::nullopt;
    for (size_t lines = 0; lines < kMostLines && line < text_.size(); ++lines) {
        if (runEnd(text_, line, isIndent) - line < indent) break;
        end = lineEnd(text_, line);
        line = end + 1;
    }
    while (end > begin && isSpace(text_[end - 1])) --end;
    return end > begin ? std::optional(Value{begin, end, Form::Literal}) : std::nullopt;
}

// Up to white space: what would end a value elsewhere is a character of it here. A call is a line of Python.
std::optional<Assignments::Value> Assignments::environmentValue(size_t begin) const {
    const size_t end = runEnd(text_, begin, [](char c) { return !isSpace(c) && c != '\\'; });
    const size_t name = runEnd(text_, begin, [](char c) { return isUrlSafe(c) || c == '.'; });
    if (name > begin && name < end && text_[name] == '(' && text_[end - 1] == ')') return std::nullopt;
    return end > begin ? std::optional(Value{begin, end, Form::Literal}) : std::nullopt;
}

size_t Assignments::bareEnd(size_t from) {
    if (from >= bare_end_) bare_end_ = runEnd(text_, from, [](char c) { return !endsBareValue(c); });
    return bare_end_;
}

std::optional<Assignments::Value> Assignments::bareValue(size_t op, size_t begin) {
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

// <password>...</password>, <db:password>...</db:password>
std::optional<Assignments::Value> Assignments::elementValue(size_t op, const Name& name) const {
    const size_t tag =
        runBegin(text_, name.begin, kNameWindow, [](char c) { return isUrlSafe(c) || c == ':'; });
    if (name.end != op || tag == 0 || text_[tag - 1] != '<') return std::nullopt;
    const size_t end = runEnd(text_, op + 1, [](char c) { return c != '<' && !isSpace(c); });
    if (!text_.substr(end).starts_with("</")) return std::nullopt;
    return Value{op + 1, end, Form::Literal};
}

std::optional<Assignments::Value> Assignments::valueAt(size_t op, const Name& name) {
    const char how = text_[op];
    if (how == '>') return elementValue(op, name);
    const size_t begin = runEnd(text_, operatorEnd(text_, op), isBlank);
    if (begin >= text_.size()) return std::nullopt;
    if (how == ',') return isArgument(name) && opensQuote(begin) ? quotedValue(begin) : std::nullopt;
    if (opensQuote(begin)) return quotedValue(begin);
    if (how == ':' && (text_[begin] == '|' || text_[begin] == '>')) return blockValue(begin);
    if (begin == op + 1 && isEnvironment(name, op)) return environmentValue(begin);
    return bareValue(op, begin);
}

std::optional<Secret> Assignments::judged(const std::optional<Value>& value, const NameRule& rule) const {
    // A token that is known by its own format keeps the more telling kind.
    if (!value || value->begin >= text_.size() || tokenAt(text_, value->begin)) return std::nullopt;
    if (!looksSecret(text_.substr(value->begin, value->end - value->begin), value->form, rule))
        return std::nullopt;
    return Secret{value->begin, value->end, rule.kind};
}

std::optional<Secret> Assignments::at(size_t op) {
    if (op == 0 || text_.substr(op).starts_with("::")) return std::nullopt;
    const auto name = nameBefore(op);
    return name ? judged(valueAt(op, *name), *name->rule) : std::nullopt;
}

std::optional<Secret> Assignments::behindOption(size_t begin, size_t end) {
    const NameRule* rule = ruleFor(text_.substr(begin, end - begin));
    const size_t value = runEnd(text_, end, isBlank);
    if (!rule || value == end || value >= text_.size() || text_[value] == '-') return std::nullopt;
    if (opensQuote(value)) return judged(quotedValue(value), *rule);
    const size_t stop = bareEnd(value);
    return stop > value ? judged(Value{value, stop, Form::Literal}, *rule) : std::nullopt;
}

}  // namespace stepper::secrets
