#include "core/schema/walker.h"

namespace stepper::schema {

bool Walker::unevaluatedProperties(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    Schemas applied;
    addAppliedInPlace(schema, v, applied);
    for (const auto& m : v.GetObject()) {
        const auto is_about = [&](const Value* s) {
            return find(*s, "unevaluatedProperties") || evaluatesMember(*s, m.name);
        };
        if (evaluatesMember(schema, m.name) || std::any_of(applied.begin(), applied.end(), is_about))
            continue;
        if (!inside(m.name, argument, m.value)) return false;
    }
    return true;
}

bool Walker::unevaluatedItems(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    Schemas applied;
    addAppliedInPlace(schema, v, applied);
    for (rapidjson::SizeType i = 0; i < v.Size(); ++i) {
        const auto is_about = [&](const Value* s) {
            return find(*s, "unevaluatedItems") || evaluatesItem(*s, v, i);
        };
        if (evaluatesItem(schema, v, i) || std::any_of(applied.begin(), applied.end(), is_about)) continue;
        if (!inside(i, argument, v[i])) return false;
    }
    return true;
}

// Adds the schemas that `v` satisfies and whose keywords are about its members or items: this one, which it
// satisfies, and those that it applies to `v` itself.
void Walker::addApplied(const Value& schema, const Value& v, Schemas& out) {
    if (!schema.IsObject() || !spend(4)) return;
    const Nesting nesting(*this);
    if (!nesting.isAllowed()) return;
    // What stands beside such a reference was never checked.
    const auto to = prepared_.references.find(&schema);
    if (to != prepared_.references.end() && prepared_.references_stand_alone)
        return addApplied(*to->second, v, out);
    out.push_back(&schema);
    addAppliedInPlace(schema, v, out);
}

void Walker::addAppliedInPlace(const Value& schema, const Value& v, Schemas& out) {
    const auto to = prepared_.references.find(&schema);
    if (to != prepared_.references.end()) addApplied(*to->second, v, out);
    const auto add = [&](const Value* s) {
        const bool holds = s && check(*s, v);
        if (holds) addApplied(*s, v, out);
        return holds;
    };
    for (const char* name : {"allOf", "anyOf", "oneOf"})
        if (const Value* all = find(schema, name))
            for (const Value& s : all->GetArray()) add(&s);
    if (const Value* condition = find(schema, "if")) add(find(schema, add(condition) ? "then" : "else"));
    const Value* dependents = find(schema, "dependentSchemas");
    if (!dependents || !v.IsObject()) return;
    for (const auto& m : dependents->GetObject())
        if (find(v, view(m.name))) add(&m.value);
}

bool Walker::evaluatesMember(const Value& schema, const Value& name) {
    if (find(schema, "additionalProperties")) return true;
    const Value *named = find(schema, "properties"), *patterns = find(schema, "patternProperties");
    return (named && find(*named, view(name))) ||
           (patterns && std::any_of(patterns->MemberBegin(), patterns->MemberEnd(),
                                    [&](const auto& p) { return matches(p.name, name).value_or(true); }));
}

bool Walker::evaluatesItem(const Value& schema, const Value& v, size_t index) {
    if (const Value* items = find(schema, "items"))
        if (!items->IsArray() || index < items->Size() || find(schema, "additionalItems")) return true;
    const Value *prefix = find(schema, "prefixItems"), *contained = find(schema, "contains");
    return (prefix && index < prefix->Size()) ||
           (contained && inside(index, *contained, v[static_cast<rapidjson::SizeType>(index)]));
}

}  // namespace stepper::schema
