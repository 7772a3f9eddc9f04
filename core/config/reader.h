// From the tree to typed values: a mapping of the configuration is a list of keys and what reads them.
//
// Readers report what is wrong to Scope::problems and leave their target as it was; an absent or null key
// does too. One thread.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
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

// What these conversions take, in the words of their messages: "a whole number from 1 to 20".
namespace range {
std::string integer(int64_t min, int64_t max);
std::string number(double min, double max);
std::string duration(milliseconds min, milliseconds max);
std::string bytes(uint64_t min, uint64_t max);
std::string oneOf(const std::vector<std::string>& names);
}  // namespace range

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

// As the configuration writes sizes: "10MiB", "512".
std::string formatBytes(uint64_t n);

namespace read {

// Calls `item` for each element.
void list(const Value& v, size_t max_items, const Read& item);
void text(const Value& v, std::string& out);
// Without the blanks around it; control characters are refused.
void secret(const Value& v, Secret& out);
// http or https, host, optional path. Slashes at the end are dropped. Empty is allowed.
void url(const Value& v, std::string& out);
// A sequence of texts, or one text with commas.
void words(const Value& v, std::vector<std::string>& out);
// The same, and sequences of such; `take` says what becomes of each word, or, having told why, nothing.
using TakeWord = std::function<std::optional<std::string>(const Value& at, const std::string& word)>;
void words(const Value& v, std::vector<std::string>& out, const TakeWord& take);
// A mapping of anything, as JSON. Plain scalars are typed as in YAML's core schema, quoted ones are strings;
// a plain scalar that ${...} left empty is an empty string. `as_written`: the same with every ${...} left as
// it is, for people to see.
void json(const Value& v, std::string& out, std::string& as_written);

}  // namespace read
}  // namespace stepper::config
