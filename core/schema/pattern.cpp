#include "core/schema/pattern.h"

#include <charconv>
#include <optional>
#include <string>

#include <re2/re2.h>

#include "core/base/text.h"

namespace stepper {
namespace {

constexpr size_t kMaxSource = 4'096;
constexpr int64_t kMaxMemory = 1 << 20;
constexpr size_t kTooLarge = 10'000;  // instructions, about what that memory holds of them
constexpr std::string_view kAnything = "[\\x{0}-\\x{10FFFF}]", kNothing = "[^\\x{0}-\\x{10FFFF}]";

// The number in the `digits` hexadecimal characters at the start of s.
std::optional<unsigned> hex(std::string_view s, size_t digits) {
    unsigned value = 0;
    if (s.size() < digits || digits == 0) return std::nullopt;
    const auto [end, error] = std::from_chars(s.data(), s.data() + digits, value, 16);
    return error == std::errc{} && end == s.data() + digits ? std::optional(value) : std::nullopt;
}

// Reads what follows "\u" off s: four hex digits, two such halves of a surrogate pair, or any number in
// braces.
std::optional<unsigned> takeUnicode(std::string_view& s) {
    if (s.starts_with('{')) {
        const size_t close = s.find('}');
        const auto value = close == std::string_view::npos ? std::nullopt : hex(s.substr(1), close - 1);
        if (value) s.remove_prefix(close + 1);
        return value;
    }
    auto value = hex(s, 4);
    if (!value) return std::nullopt;
    s.remove_prefix(4);
    if (*value >= 0xD800 && *value < 0xDC00 && s.starts_with("\\u")) {
        const auto low = hex(s.substr(2), 4);
        if (low && *low >= 0xDC00 && *low < 0xE000) {
            s.remove_prefix(6);
            return 0x10000 + ((*value - 0xD800) << 10) + (*low - 0xDC00);
        }
    }
    return value;
}

std::string escaped(unsigned code_point) {
    char digits[9] = {};
    const auto end = std::to_chars(digits, digits + 8, code_point, 16).ptr;
    return "\\x{" + std::string(digits, end) + "}";
}

// The same expression in RE2's spelling.
Result<std::string> translated(std::string_view s) {
    std::string out;
    bool in_class = false;
    while (!s.empty()) {
        if (s.starts_with("\\u")) {
            s.remove_prefix(2);
            const auto code_point = takeUnicode(s);
            if (!code_point)
                return Error{ErrorClass::InvalidRequest, "\\u needs four hexadecimal digits or {digits}"};
            out += escaped(*code_point);
        } else if (in_class && s.starts_with("\\b")) {
            out += "\\x08";
            s.remove_prefix(2);
        } else if (s.front() == '\\') {
            out += s.substr(0, 2);
            s.remove_prefix(std::min<size_t>(2, s.size()));
        } else if (!in_class && s.starts_with("[^]")) {
            out += kAnything;
            s.remove_prefix(3);
        } else if (!in_class && s.starts_with("[]")) {
            out += kNothing;
            s.remove_prefix(2);
        } else if (!in_class && s.starts_with("(?<") && !s.starts_with("(?<=") && !s.starts_with("(?<!")) {
            out += "(?P<";
            s.remove_prefix(3);
        } else if (in_class && s.front() == '[') {
            out += "\\[";  // POSIX classes do not exist in ECMA-262
            s.remove_prefix(1);
        } else {
            if (s.front() == '[') in_class = true;
            if (s.front() == ']') in_class = false;
            out += s.front();
            s.remove_prefix(1);
        }
    }
    return out;
}

// What no dialect takes. The rest may be good elsewhere: look-around, back-references, {1,2000}.
bool isMalformed(const re2::RE2& expression) {
    using re2::RE2;
    switch (expression.error_code()) {
        case RE2::ErrorMissingBracket:
        case RE2::ErrorMissingParen:
        case RE2::ErrorTrailingBackslash:
        case RE2::ErrorRepeatArgument: return true;
        case RE2::ErrorBadCharRange:
            return !expression.error_arg().starts_with('\\');  // not \p{Script=Greek}
        default: return false;
    }
}

}  // namespace

Result<Pattern> Pattern::compile(std::string_view source, size_t& effort) {
    if (source.size() > kMaxSource)
        return Error{ErrorClass::Unsupported, "the pattern is longer than 4096 bytes"};
    if (!isValidUtf8(source)) return Error{ErrorClass::InvalidRequest, "the pattern is not UTF-8"};
    const auto spelled = translated(source);
    if (!spelled) return spelled.error();
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMaxMemory);
    auto compiled = std::make_shared<const re2::RE2>(*spelled, options);
    if (compiled->ok()) effort += static_cast<size_t>(compiled->ProgramSize());
    if (compiled->error_code() == re2::RE2::ErrorPatternTooLarge) effort += kTooLarge;
    if (!compiled->ok())
        return Error{isMalformed(*compiled) ? ErrorClass::InvalidRequest : ErrorClass::Unsupported,
                     "the pattern cannot be used: " + compiled->error()};
    return Pattern(std::move(compiled));
}

bool Pattern::search(std::string_view text) const {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

size_t Pattern::size() const { return static_cast<size_t>(compiled_->ProgramSize()); }

}  // namespace stepper
