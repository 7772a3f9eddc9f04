#include <set>

#include "core/schema/values.h"
#include "core/schema/walker.h"

namespace stepper::schema {

bool Walker::prefixItems(const Value&, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    const auto count = std::min(v.Size(), argument.Size());
    for (rapidjson::SizeType i = 0; i < count; ++i)
        if (!inside(i, argument[i], v[i])) return false;
    return true;
}

bool Walker::items(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    if (argument.IsArray()) return prefixItems(schema, argument, v);
    const Value* prefix = find(schema, "prefixItems");
    for (rapidjson::SizeType i = prefix ? prefix->Size() : 0; i < v.Size(); ++i)
        if (!inside(i, argument, v[i])) return false;
    return true;
}

bool Walker::additionalItems(const Value& schema, const Value& argument, const Value& v) {
    const Value* tuple = find(schema, "items");
    if (!v.IsArray() || !tuple || !tuple->IsArray()) return true;
    for (auto i = tuple->Size(); i < v.Size(); ++i)
        if (!inside(i, argument, v[i])) return false;
    return true;
}

bool Walker::contains(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    const double least = numberOf(schema, "minContains").value_or(1);
    const auto most = numberOf(schema, "maxContains");
    const size_t unknowns = unknowns_;
    size_t count = 0;
    for (rapidjson::SizeType i = 0; i < v.Size() && (most || count < least); ++i)
        count += inside(i, argument, v[i]);
    if (count < least)
        return fail(count == 0 ? "no item is as `contains` asks" : "too few items are as `contains` asks");
    return !most || count <= *most || unknowns_ > unknowns ||
           fail("more items than `maxContains` are as `contains` asks");
}

bool Walker::minItems(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsArray() || v.Size() >= argument.GetDouble(), "fewer items than ", argument);
}

bool Walker::maxItems(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsArray() || v.Size() <= argument.GetDouble(), "more items than ", argument);
}

bool Walker::uniqueItems(const Value&, const Value& argument, const Value& v) {
    if (!v.IsArray() || !argument.GetBool()) return true;
    std::set<std::string> seen;
    for (const Value& item : v.GetArray()) {
        std::string text = canonical(item);
        if (!spend(16 + text.size() / 4)) return false;
        if (!seen.insert(std::move(text)).second) return fail("the items are not unique");
    }
    return true;
}

bool Walker::properties(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const auto& m : v.GetObject()) {
        const Value* schema = find(argument, view(m.name));
        if (schema && !inside(m.name, *schema, m.value)) return false;
    }
    return true;
}

bool Walker::patternProperties(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const auto& m : v.GetObject())
        for (const auto& p : argument.GetObject())
            if (matches(p.name, m.name).value_or(false) && !inside(m.name, p.value, m.value)) return false;
    return true;
}

bool Walker::additionalProperties(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    const Value* named = find(schema, "properties");
    const Value* patterns = find(schema, "patternProperties");
    for (const auto& m : v.GetObject()) {
        if (named && find(*named, view(m.name))) continue;
        if (patterns && std::any_of(patterns->MemberBegin(), patterns->MemberEnd(),
                                    [&](const auto& p) { return matches(p.name, m.name).value_or(true); }))
            continue;
        if (!inside(m.name, argument, m.value)) return false;
    }
    return true;
}

bool Walker::propertyNames(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    return std::all_of(v.MemberBegin(), v.MemberEnd(),
                       [&](const auto& m) { return inside(m.name, argument, m.name); });
}

bool Walker::required(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const Value& name : argument.GetArray()) {
        if (!find(v, view(name))) return fail("the required member " + shown(name) + " is missing");
    }
    return true;
}

bool Walker::minProperties(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsObject() || v.MemberCount() >= argument.GetDouble(), "fewer members than ", argument);
}

bool Walker::maxProperties(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsObject() || v.MemberCount() <= argument.GetDouble(), "more members than ", argument);
}

bool Walker::dependencies(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const auto& m : argument.GetObject()) {
        if (!find(v, view(m.name))) continue;
        if (m.value.IsArray() ? !required(schema, m.value, v) : !check(m.value, v)) return false;
    }
    return true;
}

}  // namespace stepper::schema
