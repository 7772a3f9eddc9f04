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

// Too large, empty, binary, or not UTF-8.
std::optional<TextProblem> checkText(std::string_view text);

// YAML takes tabs wherever white space only separates, but not as indentation. The offset of the tab that the
// line at `offset` is indented with.
std::optional<size_t> indentTab(std::string_view text, size_t offset);

// Without the byte order mark that some editors write, and with blanks for the tabs of lines that hold
// nothing else: places stay right but for the mark.
std::string plainText(std::string_view text);

// True when the scalar at this offset opens a quote that nothing closes.
bool hasOpenQuote(std::string_view text, size_t offset);

// `{ key: ${NAME:-} }` is what people write, but braces, commas and colons end a plain scalar there. Inside
// ${...} they become control characters while YAML is scanned, one byte for one, so that places stay right.
// The text must have passed checkText, hence holds no such characters of its own.
std::string maskReferences(std::string text);
std::string unmaskReferences(std::string text);

}  // namespace stepper::config
