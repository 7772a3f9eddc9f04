#include "core/config/yaml_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/text.h"

namespace stepper::config {
namespace {

constexpr std::string_view kIndicators = "{}[],:#";
constexpr char kFirstMask = 1;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

bool isControl(char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F;
}

size_t firstInvalidUtf8(std::string_view text) {
    const std::string repaired = toValidUtf8(text);
    return static_cast<size_t>(
        std::mismatch(text.begin(), text.end(), repaired.begin(), repaired.end()).first - text.begin());
}

// Past the end of the ${NAME} or ${NAME:-default} that starts at `at`, or `at` when none does.
size_t referenceEnd(std::string_view text, size_t at) {
    if (text.substr(at, 2) != "${") return at;
    const size_t name_end = text.find_first_not_of(kNameCharacters, at + 2);
    if (name_end == std::string_view::npos || name_end == at + 2) return at;
    if (text[name_end] != '}' && text.substr(name_end, 2) != ":-") return at;
    const size_t stop = text.find_first_of("{}\n", name_end);
    return stop != std::string_view::npos && text[stop] == '}' ? stop + 1 : at;
}

}  // namespace

std::optional<TextProblem> checkText(std::string_view text) {
    if (text.size() > kMaxDocumentBytes)
        return TextProblem{0, fmt::format("larger than {} MiB", kMaxDocumentBytes >> 20)};
    const size_t mark = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    if (trim(text.substr(mark)).empty()) return TextProblem{0, "the file is empty"};
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
        return TextProblem{0, "is UTF-16; save it as UTF-8"};
    const auto control = std::find_if(text.begin(), text.end(), isControl);
    if (control != text.end())
        return TextProblem{static_cast<size_t>(control - text.begin()),
                           fmt::format("not a text file: it holds the byte 0x{:02x}", *control)};
    if (!isValidUtf8(text)) return TextProblem{firstInvalidUtf8(text), "not UTF-8 text"};
    return std::nullopt;
}

std::optional<size_t> indentTab(std::string_view text, size_t offset) {
    const size_t start = text.substr(0, offset).rfind('\n') + 1;  // npos + 1 == 0: the first line
    const size_t tab = text.find_first_not_of(' ', start);
    return tab != std::string_view::npos && text[tab] == '\t' ? std::optional(tab) : std::nullopt;
}

std::string plainText(std::string_view text) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    std::string out(text);
    for (size_t start = 0; start < out.size();) {
        const size_t end = std::min(out.find('\n', start), out.size());
        if (out.find_first_not_of(" \t\r", start) >= end)
            std::replace(out.begin() + static_cast<std::ptrdiff_t>(start),
                         out.begin() + static_cast<std::ptrdiff_t>(end), '\t', ' ');
        start = end + 1;
    }
    return out;
}

bool hasOpenQuote(std::string_view text, size_t offset) {
    // A tag or an anchor may stand before the quote.
    while (offset < text.size() && (text[offset] == '!' || text[offset] == '&'))
        offset = text.find_first_not_of(" \r\n", std::min(text.find_first_of(" \r\n", offset), text.size()));
    if (offset >= text.size() || (text[offset] != '"' && text[offset] != '\'')) return false;
    const char quote = text[offset];
    for (size_t i = offset + 1; i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\')
            ++i;
        else if (text[i] == quote && quote == '\'' && i + 1 < text.size() && text[i + 1] == quote)
            ++i;
        else if (text[i] == quote)
            return false;
    }
    return true;
}

std::string maskReferences(std::string text) {
    for (size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at)) {
        const size_t end = referenceEnd(text, at);
        for (size_t i = at; i < end; ++i) {
            const size_t which = kIndicators.find(text[i]);
            if (which != std::string_view::npos)
                text[i] = static_cast<char>(kFirstMask + static_cast<int>(which));
        }
        at = end > at ? end : at + (text.compare(at, 2, "$$") == 0 ? 2 : 1);
    }
    return text;
}

std::string unmaskReferences(std::string text) {
    for (char& c : text)
        if (c >= kFirstMask && c < kFirstMask + static_cast<int>(kIndicators.size()))
            c = kIndicators[static_cast<size_t>(c - kFirstMask)];
    return text;
}

}  // namespace stepper::config
