// What can be told about a YAML text before it is parsed. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace stepper::config {

constexpr size_t kMaxDocumentBytes = 4u << 20;

struct TextProblem {
    size_t offset = 0;
    std::string what;
};

// Too large, empty, a byte order mark, binary, not UTF-8, or indented with tabs.
std::optional<TextProblem> checkText(std::string_view text);

// True when the scalar at this offset opens a quote that nothing closes.
bool hasOpenQuote(std::string_view text, size_t offset);

// `{ key: ${NAME:-} }` is what people write, but braces, commas and colons end a plain scalar there. Inside
// ${...} they become control characters while YAML is scanned, one byte for one, so that places stay right.
// The text must have passed checkText, hence holds no such characters of its own.
std::string maskReferences(std::string text);
std::string unmaskReferences(std::string text);

}  // namespace stepper::config
