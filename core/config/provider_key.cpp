#include "core/config/provider_key.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/text.h"
#include "core/secrets/redact.h"

namespace stepper::config {
namespace {

bool isNameChar(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// Also the blanks that web pages and editors leave: no-break and zero-width spaces, a byte order mark.
std::string_view withoutBlanks(std::string_view s) {
    constexpr std::string_view kInvisible[] = {"\u00A0", "\u200B", "\u200C", "\u200D", "\u2060", "\uFEFF"};
    for (size_t before = 0; before != s.size();) {
        before = s.size();
        s = trim(s);
        for (const auto mark : kInvisible) {
            if (s.starts_with(mark)) s.remove_prefix(mark.size());
            if (s.ends_with(mark)) s.remove_suffix(mark.size());
        }
    }
    return s;
}

std::string_view withoutQuotes(std::string_view s) {
    constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
        {"\"", "\""}, {"'", "'"}, {"`", "`"}, {"\u201C", "\u201D"}, {"\u2018", "\u2019"}};
    for (const auto& [open, close] : kPairs)
        if (s.size() >= open.size() + close.size() && s.starts_with(open) && s.ends_with(close))
            return s.substr(open.size(), s.size() - open.size() - close.size());
    return s;
}

std::string_view withoutScheme(std::string_view s) {
    for (const std::string_view start : {"authorization:", "bearer "})
        if (equalsIgnoreCase(s.substr(0, start.size()), start)) s = trim(s.substr(start.size()));
    // What is left of "Bearer ${KEY}" without a KEY.
    return equalsIgnoreCase(s, "bearer") ? std::string_view() : s;
}

// NAME of "$NAME"; empty when it is none.
std::string_view nameInDollar(std::string_view s) {
    if (!s.starts_with('$') || s.size() < 2 || (s[1] >= '0' && s[1] <= '9')) return {};
    return std::all_of(s.begin() + 1, s.end(), isNameChar) ? s.substr(1) : std::string_view();
}

// OPENAI_API_KEY=sk-...
bool isWholeAssignment(std::string_view s) {
    const size_t equals = s.find('=');
    return equals != s.npos && equals + 1 < s.size() && s.find('_') < equals &&
           std::all_of(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(equals),
                       [](char c) { return isNameChar(c) && !(c >= 'a' && c <= 'z'); });
}

std::string doubt(std::string_view key) {
    if (const auto name = nameInDollar(key); !name.empty()) {
        // It may be a key after all: only what is spelled as variables are is shown.
        const bool shown =
            std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
        return fmt::format("is the text ${0}; write ${{{0}}} to have the variable's value",
                           shown ? name : "NAME");
    }
    if (key.find("${") != key.npos) return "holds ${...} that nobody replaced";
    if (secrets::isPlaceholder(key)) return "is a placeholder; put the key of your account there";
    if (isWholeAssignment(key)) return "is a whole assignment, NAME=value; only the value is the key";
    if (std::any_of(key.begin(), key.end(), [](unsigned char c) { return c >= 0x80; }))
        return "holds characters beyond ASCII, as copying from a page can leave; no provider takes them";
    if (key.find_first_of(" \t") != key.npos) return "holds a blank; no key does";
    return {};
}

// Keys that servers of one's own are given because some client insists on one.
bool isNobodys(std::string_view key) {
    constexpr std::string_view kNone[] = {"none",   "null",     "dummy",  "token",
                                          "secret", "password", "apikey", "api-key"};
    return std::any_of(std::begin(kNone), std::end(kNone),
                       [&](auto word) { return equalsIgnoreCase(key, word); });
}

}  // namespace

ProviderKey readProviderKey(std::string_view written) {
    ProviderKey out;
    const auto take = [&out](std::string_view& key, std::string_view without, const char* remark) {
        if (without.size() == key.size()) return;
        key = without;
        if (std::find(out.remarks.begin(), out.remarks.end(), remark) == out.remarks.end())
            out.remarks.emplace_back(remark);
    };
    std::string_view key = written;
    for (size_t before = key.size() + 1; before != key.size();) {
        before = key.size();
        take(key, withoutBlanks(key), "has blanks or line breaks around it; they were left away");
        take(key, withoutQuotes(key), "is in quotes, as docker --env-file keeps them; they were left away");
        take(key, withoutScheme(key), "begins with \"Bearer\"; that was left away");
    }
    out.key = key;
    if (auto why = doubt(key); !key.empty() && !why.empty() && !isNobodys(key))
        out.remarks.push_back(std::move(why));
    return out;
}

}  // namespace stepper::config
