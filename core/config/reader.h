// From the tree to typed values: a section of the configuration is a table of keys and readers.
//
//     readMapping(value, {{"workers", read::integer(q.workers, 1, 4096)},
//                         {"lease", read::duration(q.lease, 1s, 1h)}});
//
// Readers report what is wrong to Scope::problems and leave their target as it was; an absent or null key
// does too. They hold a reference to the target, which must outlive them. One thread.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/node.h"
#include "core/config/problems.h"

namespace stepper::config {

struct Scope {
    const Environment& env;
    Problems& problems;
};

// A node about to be read, and the path of keys that led to it. Each conversion reports why it returns
// nothing.
struct Value {
    const Node& node;
    std::string path;
    Scope& scope;

    Value at(std::string_view key, const Node& child) const;
    void fail(std::string_view what) const;
    // fail("expected WHAT, not "what was written""). Shows the text before ${...} was replaced, so never a
    // secret.
    void failExpected(std::string_view what) const;

    enum class Unset { IsError, IsEmpty };
    std::optional<std::string> text(Unset unset = Unset::IsError) const;
    std::optional<bool> boolean() const;
    std::optional<int64_t> integer(int64_t min, int64_t max) const;
    std::optional<double> number(double min, double max) const;
    std::optional<milliseconds> duration(milliseconds min, milliseconds max) const;
    std::optional<uint64_t> bytes(uint64_t min, uint64_t max) const;
    // The index of the name, in any case, among `names`.
    std::optional<size_t> oneOf(const std::vector<std::string>& names) const;
};

using Read = std::function<void(const Value&)>;

struct Field {
    std::string key;
    Read read;
    bool required = false;
};
using Fields = std::vector<Field>;

// Reads the fields in their own order. Unknown keys, missing required ones and anything but a mapping are
// problems, but for "x-..." at the top level of a file: these hold what anchors repeat.
void readMapping(const Value& value, const Fields& fields);

bool hasControlCharacter(std::string_view s);

// true, false, yes, no, on, off, 1, 0 in any case.
std::optional<bool> parseBoolean(std::string_view text);

namespace read {

Read section(Fields fields);
// Calls `item` for each element.
Read list(size_t max_items, Read item);

Read text(std::string& out);
// Without the blanks around it; control characters are refused.
Read secret(Secret& out);
// http or https, host, optional path. Slashes at the end are dropped. Empty is allowed.
Read url(std::string& out);
// A sequence of texts, or one text with commas.
Read words(std::vector<std::string>& out);
Read oneOf(std::string& out, std::vector<std::string> names);
// A mapping of anything, as JSON. Plain scalars are typed as in YAML's core schema, quoted ones are strings;
// a plain scalar that ${...} left empty is an empty string. `as_written`: the same with every ${...} left as
// it is, for people to see.
Read json(std::string& out, std::string& as_written);

// T: bool or an optional of it.
template <class T>
Read flag(T& out) {
    return [&out](const Value& v) {
        if (const auto b = v.boolean()) out = *b;
    };
}
// T: an integer type that holds min and max, or an optional of one.
template <class T>
Read integer(T& out, int64_t min, int64_t max) {
    return [&out, min, max](const Value& v) {
        if (const auto n = v.integer(min, max)) out = static_cast<T>(*n);
    };
}
template <class T>
Read number(T& out, double min, double max) {
    return [&out, min, max](const Value& v) {
        if (const auto n = v.number(min, max)) out = *n;
    };
}
Read duration(milliseconds& out, milliseconds min, milliseconds max);
Read duration(std::optional<milliseconds>& out, milliseconds min, milliseconds max);
Read bytes(uint64_t& out, uint64_t min, uint64_t max);
template <class E>
Read choice(E& out, std::vector<std::pair<std::string, E>> choices) {
    return [&out, choices = std::move(choices)](const Value& v) {
        std::vector<std::string> names;
        for (const auto& c : choices) names.push_back(c.first);
        if (const auto i = v.oneOf(names)) out = choices[*i].second;
    };
}

}  // namespace read
}  // namespace stepper::config
