#include "core/base/json_finder.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace stepper::json {
namespace {

// Fewer are sooner looked through than put in order.
constexpr rapidjson::SizeType kFew = 32;

// Any order will do; lengths are compared sooner than texts.
bool before(std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// A token of a JSON pointer as it was before it was escaped; nothing when that cannot be.
std::optional<std::string> unescaped(std::string_view token) {
    std::string out;
    for (size_t i = 0; i < token.size(); ++i) {
        if (token[i] != '~') {
            out += token[i];
            continue;
        }
        const char which = ++i < token.size() ? token[i] : ' ';
        if (which != '0' && which != '1') return std::nullopt;
        out += which == '0' ? '~' : '/';
    }
    return out;
}

const Value* element(const Value& array, std::string_view token) {
    rapidjson::SizeType index = 0;
    const char* const end = token.data() + token.size();
    const auto [stop, error] = std::from_chars(token.data(), end, index);
    const bool canonical = error == std::errc{} && stop == end && (token.size() == 1 || token[0] != '0');
    return canonical && index < array.Size() ? &array[index] : nullptr;
}

}  // namespace

const Value* Finder::find(const Value& v, std::string_view key) {
    if (!v.IsObject() || v.MemberCount() <= kFew) return json::find(v, key);
    const Members& members = ordered(v);
    const auto is_before = [](const auto* m, std::string_view name) { return before(view(m->name), name); };
    const auto found = std::lower_bound(members.begin(), members.end(), key, is_before);
    return found != members.end() && view((*found)->name) == key ? &(*found)->value : nullptr;
}

const Value* Finder::at(const Value& v, std::string_view pointer) {
    const Value* found = &v;
    while (found && !pointer.empty()) {
        if (pointer[0] != '/') return nullptr;
        pointer.remove_prefix(1);
        const std::string_view token = pointer.substr(0, pointer.find('/'));
        pointer.remove_prefix(token.size());
        const auto name = unescaped(token);
        if (!name) return nullptr;
        found = found->IsArray() ? element(*found, *name) : find(*found, *name);
    }
    return found;
}

const Finder::Members& Finder::ordered(const Value& object) {
    const auto [known, is_new] = ordered_.try_emplace(&object);
    if (!is_new) return known->second;
    Members& members = known->second;
    members.reserve(object.MemberCount());
    for (const auto& m : object.GetObject()) members.push_back(&m);
    // Of members with one name the first counts.
    std::stable_sort(members.begin(), members.end(),
                     [](const auto* a, const auto* b) { return before(view(a->name), view(b->name)); });
    return members;
}

}  // namespace stepper::json
