// A YAML document as a plain tree that remembers where everything was written. A value; nodes own their
// children.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"

namespace stepper::config {

struct Entry;

struct Node {
    enum class Kind { Null, Scalar, Sequence, Mapping };

    Kind kind = Kind::Null;
    Mark mark;
    std::string text;            // of a scalar, as written: ${...} not yet replaced
    bool quoted = false;         // written in quotes or as a block: always a string
    bool literal = false;        // ${...} in the text has no meaning (it is an environment variable's value)
    std::vector<Node> items;     // of a sequence
    std::vector<Entry> entries;  // of a mapping, in the order of the file; a repeated key stays repeated

    bool isMapping() const { return kind == Kind::Mapping; }
    // The value of the first entry with that key, or nullptr.
    const Node* find(std::string_view key) const;
    // Whether it has the key, and not as null.
    bool gives(std::string_view key) const;
};

struct Entry {
    std::string key;
    Mark mark;
    Node value;
};

// `own` completed with what only `defaults` says; two mappings under one key are merged the same way.
Node withDefaults(Node own, const Node& defaults);

// Puts a value at "a.b.c", making the mappings on the way. Does nothing where something else is in the way:
// reading the tree reports that.
void put(Node& mapping, std::string_view path, Node value);

}  // namespace stepper::config
