#include "core/config/node.h"

#include <algorithm>

namespace stepper::config {
namespace {

Entry* findEntry(Node& mapping, std::string_view key) {
    const auto it = std::find_if(mapping.entries.begin(), mapping.entries.end(),
                                 [&](const Entry& e) { return e.key == key; });
    return it == mapping.entries.end() ? nullptr : &*it;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (const Entry& e : entries)
        if (e.key == key) return &e.value;
    return nullptr;
}

bool Node::gives(std::string_view key) const {
    const Node* node = find(key);
    return node && node->kind != Kind::Null;
}

Node withDefaults(Node own, const Node& defaults) {
    for (const Entry& given : defaults.entries) {
        Entry* mine = findEntry(own, given.key);
        if (!mine) {
            own.entries.push_back(given);
        } else if (given.value.isMapping()) {
            // `limits:` with every line under it commented out must not drop the default limits.
            if (mine->value.kind == Node::Kind::Null) mine->value.kind = Node::Kind::Mapping;
            if (mine->value.isMapping()) mine->value = withDefaults(std::move(mine->value), given.value);
        }
    }
    return own;
}

void put(Node& mapping, std::string_view path, Node value) {
    if (mapping.kind == Node::Kind::Null) mapping.kind = Node::Kind::Mapping;
    if (!mapping.isMapping()) return;
    const size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    Entry* entry = findEntry(mapping, key);
    if (!entry) entry = &mapping.entries.emplace_back(Entry{std::string(key), value.mark, {}});
    if (dot == std::string_view::npos)
        entry->value = std::move(value);
    else
        put(entry->value, path.substr(dot + 1), std::move(value));
}

}  // namespace stepper::config
