#include "core/config/reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/text.h"

namespace stepper::config {
namespace {

// Longer words are no slips, and comparing them takes time.
constexpr size_t kLongestSlip = 64;
constexpr size_t kMostWords = 1000;

std::string unknownKey(std::string_view key, const Fields& fields) {
    std::vector<std::string> names;
    for (const Field& f : fields) names.push_back(f.key);
    if (key.size() <= kLongestSlip)
        if (const auto close = nearest(key, names))
            return fmt::format("unknown key; did you mean \"{}\"?", *close);
    return fmt::format("unknown key; valid here: {}", fmt::join(names, ", "));
}

// What follows http:// or https://.
std::optional<std::string_view> afterScheme(std::string_view url) {
    for (const std::string_view scheme : {"http://", "https://"})
        if (url.starts_with(scheme)) return url.substr(scheme.size());
    return std::nullopt;
}

bool isPlainUrl(std::string_view url) {
    const auto rest = afterScheme(url);
    return rest && !rest->empty() && rest->front() != '/' && rest->front() != ':' &&
           rest->find_first_of("@?#\\ \"<>") == std::string_view::npos && !hasControlCharacter(*rest);
}

void addWords(std::string_view text, std::vector<std::string>& out) {
    while (!text.empty()) {
        const size_t comma = std::min(text.find(','), text.size());
        const std::string_view word = trim(text.substr(0, comma));
        if (!word.empty()) out.emplace_back(word);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
}

void oneOrMany(const Value& v, const Read& read) {
    if (v.node.kind == Node::Kind::Sequence)
        read::list(v, kMostWords, read);
    else
        read(v);
}

}  // namespace

bool hasControlCharacter(std::string_view s) {
    return std::any_of(s.begin(), s.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

void readMapping(const Value& value, const Fields& fields) {
    if (!value.node.isMapping()) return value.failExpected("a mapping of keys to values");
    for (const Field& field : fields) {
        const Node* child = value.node.find(field.key);
        const bool is_null = child && child->kind == Node::Kind::Null;
        if (child && !is_null)
            field.read(value.at(field.key, *child));
        else if (field.required)
            value.fail(fmt::format("the key \"{}\" is missing", field.key));
    }
    for (const Entry& e : value.node.entries) {
        // As in other tools' files, the top level may hold what is only there to be repeated.
        const bool known =
            (value.path.empty() && e.key.starts_with("x-")) ||
            std::any_of(fields.begin(), fields.end(), [&](const Field& f) { return f.key == e.key; });
        if (!known)
            value.scope.problems.add(e.mark, value.at(e.key, e.value).path, unknownKey(e.key, fields));
    }
}

namespace read {

void list(const Value& v, size_t max_items, const Read& item) {
    if (v.node.kind != Node::Kind::Sequence) return v.failExpected("a list");
    if (v.node.items.size() > max_items) return v.fail(fmt::format("more than {} entries", max_items));
    for (size_t i = 0; i < v.node.items.size(); ++i)
        item({v.node.items[i], fmt::format("{}[{}]", v.path, i), v.scope});
}

void text(const Value& v, std::string& out) {
    if (auto s = v.text()) out = std::move(*s);
}

void secret(const Value& v, Secret& out) {
    const auto s = v.text();
    if (!s) return;
    const std::string_view key = trim(*s);
    if (hasControlCharacter(key)) return v.fail("holds a line break or another control character");
    out = Secret(std::string(key));
}

void url(const Value& v, std::string& out) {
    const auto s = v.text();
    if (!s) return;
    std::string_view u = trim(*s);
    if (!u.empty() && !isPlainUrl(u))
        return v.fail("expected http:// or https:// with a host, and no user name, blanks, ? or #");
    while (u.ends_with('/')) u.remove_suffix(1);
    out = u;
}

void words(const Value& v, std::vector<std::string>& out) {
    std::vector<std::string> found;
    const auto add = [&found](const Value& word) {
        if (const auto s = word.text()) addWords(*s, found);
    };
    oneOrMany(v, add);
    out = std::move(found);
}

void words(const Value& v, std::vector<std::string>& out, const TakeWord& take) {
    std::vector<std::string> found;
    const auto add = [&](const Value& text) {
        std::vector<std::string> all;
        words(text, all);
        for (const auto& word : all)
            if (auto taken = take(text, word)) found.push_back(std::move(*taken));
    };
    oneOrMany(v, add);
    out = std::move(found);
}

}  // namespace read
}  // namespace stepper::config
