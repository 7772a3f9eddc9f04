#include "block.hpp"

namespace http_template {
namespace {

std::string checkedPointer(const Value& v, const std::string& place) {
    std::string pointer(kit::view(v));
    if (!kit::Pointer(pointer.data(), pointer.size()).IsValid())
        throw sdk::ConfigError(place + " is no JSON pointer: " + pointer);
    return pointer;
}

}  // namespace

std::string Block::word(std::string_view key) const {
    return std::string(block_ ? kit::string(*block_, key) : std::string_view{});
}

std::string Block::pointer(std::string_view key) const {
    const Value* v = find(key);
    return v ? checkedPointer(*v, place(key)) : "";
}

std::vector<std::string> Block::pointers(std::string_view key) const {
    const Value* v = find(key);
    if (!v) return {};
    if (v->IsString()) return {checkedPointer(*v, place(key))};
    std::vector<std::string> all;
    for (const Value& one : v->GetArray()) all.push_back(checkedPointer(one, place(key)));
    return all;
}

std::string textAt(const Value& json, std::string_view pointer) {
    const Value* v = pointer.empty() ? nullptr : kit::at(json, pointer);
    if (!v) return {};
    return v->IsString() ? std::string(kit::view(*v)) : kit::dump(*v);
}

}  // namespace http_template
