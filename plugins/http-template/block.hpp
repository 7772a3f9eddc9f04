// Reads one block of a provider's options and names the place in every complaint.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "stepper/kit/json.hpp"
#include "stepper/plugin.hpp"

namespace http_template {

namespace sdk = stepper::sdk;
namespace kit = stepper::kit;
using kit::Document;
using kit::Value;

// Borrows the configuration. A block that is missing reads as an empty one. The config schema has already
// checked every type.
class Block {
public:
    Block(const Value* block, std::string place) : block_(block), place_(std::move(place)) {}

    Block inner(std::string_view key) const { return {find(key), place(key)}; }
    const Value* find(std::string_view key) const { return block_ ? kit::find(*block_, key) : nullptr; }
    std::string word(std::string_view key) const;
    std::string place(std::string_view key) const { return place_ + "." + std::string(key); }

    // RFC 6901 pointers; empty when missing. Throws ConfigError when one is malformed.
    std::string pointer(std::string_view key) const;
    std::vector<std::string> pointers(std::string_view key) const;  // one, or a list

    // Calls visit(name, value) for every member.
    template <class Visit>
    void forEach(const Visit& visit) const {
        if (!block_) return;
        for (const auto& [name, value] : block_->GetObject()) visit(kit::view(name), value);
    }

private:
    const Value* block_;
    std::string place_;
};

// What is at a pointer, as text: a string as it is, anything else as JSON. Empty when there is nothing or the
// pointer is empty.
std::string textAt(const Value& json, std::string_view pointer);

}  // namespace http_template
