#include "core/base/json_schema_walk.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/json_schema_values.h"
#include "core/base/text.h"

namespace stepper::schema {
namespace {

using json::find;
using json::Value;
using json::view;

constexpr size_t kMaxCalls = 200;         // schemas inside schemas at one place of the walk
constexpr size_t kMaxSteps = 10'000'000;  // a fraction of a second
constexpr size_t kMaxTextInError = 200;

// One validation, and one class, because every keyword may apply any other. Every keyword's method answers
// whether `v` satisfies `argument`, which stands in `schema`.
class Walk {
public:
    using Check = bool (Walk::*)(const Value& schema, const Value& argument, const Value& v);

    explicit Walk(const Prepared& prepared) : prepared_(prepared) {}

    Result<void> run(const Value& v) {
        const bool matches = check(prepared_.schema, v);
        if (exhausted_) return Error{ErrorClass::BadResponse, exhausted_};
        if (matches) return {};
        std::string where;
        for (const Step& s : failure_.path)
            where = pointerTo(where, s.key ? view(*s.key) : std::to_string(s.index));
        if (where.empty()) where = "value";
        return Error{ErrorClass::BadResponse, std::string(utf8Prefix(where, kMaxTextInError)) + ": " +
                                                  std::string(utf8Prefix(failure_.what, kMaxTextInError))};
    }

    bool reference(const Value& schema, const Value&, const Value& v);
    bool type(const Value&, const Value& argument, const Value& v);
    bool enumeration(const Value&, const Value& argument, const Value& v);
    bool minimum(const Value& schema, const Value& argument, const Value& v);
    bool maximum(const Value& schema, const Value& argument, const Value& v);
    bool exclusiveMinimum(const Value&, const Value& argument, const Value& v);
    bool exclusiveMaximum(const Value&, const Value& argument, const Value& v);
    bool multipleOf(const Value&, const Value& argument, const Value& v);
    bool minLength(const Value&, const Value& argument, const Value& v);
    bool maxLength(const Value&, const Value& argument, const Value& v);
    bool pattern(const Value&, const Value& argument, const Value& v);
    bool prefixItems(const Value&, const Value& argument, const Value& v);
    bool items(const Value& schema, const Value& argument, const Value& v);
    bool additionalItems(const Value& schema, const Value& argument, const Value& v);
    bool contains(const Value& schema, const Value& argument, const Value& v);
    bool minItems(const Value&, const Value& argument, const Value& v);
    bool maxItems(const Value&, const Value& argument, const Value& v);
    bool uniqueItems(const Value&, const Value& argument, const Value& v);
    bool properties(const Value&, const Value& argument, const Value& v);
    bool patternProperties(const Value&, const Value& argument, const Value& v);
    bool additionalProperties(const Value& schema, const Value& argument, const Value& v);
    bool propertyNames(const Value&, const Value& argument, const Value& v);
    bool required(const Value&, const Value& argument, const Value& v);
    bool minProperties(const Value&, const Value& argument, const Value& v);
    bool maxProperties(const Value&, const Value& argument, const Value& v);
    bool dependencies(const Value&, const Value& argument, const Value& v);
    bool allOf(const Value&, const Value& argument, const Value& v);
    bool anyOf(const Value&, const Value& argument, const Value& v);
    bool oneOf(const Value&, const Value& argument, const Value& v);
    bool negation(const Value&, const Value& argument, const Value& v);
    bool condition(const Value& schema, const Value& argument, const Value& v);
    bool unevaluatedProperties(const Value& schema, const Value& argument, const Value& v);
    bool unevaluatedItems(const Value& schema, const Value& argument, const Value& v);

private:
    static Check keyword(std::string_view name);  // null: it demands nothing by itself

    struct Step {
        const Value* key;  // null: an array index
        size_t index;
    };
    struct Failure {
        std::vector<Step> path;
        std::string what;
    };

    bool check(const Value& schema, const Value& v);
    bool inside(const Step& to, const Value& schema, const Value& v) {
        path_.push_back(to);
        const bool ok = check(schema, v);
        path_.pop_back();
        return ok;
    }
    bool inside(const Value& key, const Value& schema, const Value& v) {
        return inside(Step{&key, 0}, schema, v);
    }
    bool inside(size_t index, const Value& schema, const Value& v) {
        return inside(Step{nullptr, index}, schema, v);
    }
    // Nothing when the pattern cannot be enforced.
    std::optional<bool> matches(const Value& pattern, const Value& text) {
        const auto p = prepared_.patterns.find(&pattern);
        if (p == prepared_.patterns.end()) {
            ++unknowns_;
            return std::nullopt;
        }
        return spend((text.GetStringLength() + 1) * (1 + p->second.size() / 16)) &&
               p->second.search(view(text));
    }
    bool evaluates(const Value& schema, const Value& v, const Step& part);
    bool evaluatesInPlace(const Value& schema, const Value& v, const Step& part);
    bool evaluatesMember(const Value& schema, const Value& name);
    bool evaluatesItem(const Value& schema, const Value& v, size_t index);
    double length(const Value& text) {
        spend(text.GetStringLength() / 8);
        return static_cast<double>(utf8Length(view(text)));
    }
    bool oneAlternative(const Value& alternatives, const Value& v, size_t enough, size_t& matching);

    bool spend(size_t steps) {
        if (steps > steps_) return exhaust();
        steps_ -= steps;
        return true;
    }
    // Finding a member compares names one by one, which is cheaper than other steps.
    bool spendOnSearch(const Value& object) { return spend(1 + object.MemberCount() / 4); }
    bool exhaust() {
        exhausted_ = "checking the value against its schema takes too long";
        return false;
    }
    bool fail(std::string what) {
        spend(16);
        failure_ = {path_, std::move(what)};
        return false;
    }
    bool demand(bool ok, const char* what, const Value& limit, const char* unit = "") {
        return ok || fail(what + json::dump(limit) + unit);
    }

    const Prepared& prepared_;
    size_t steps_ = kMaxSteps, calls_ = 0;
    size_t unknowns_ = 0;  // patterns taken for fulfilled because they cannot be enforced
    const char* exhausted_ = nullptr;
    std::vector<Step> path_;
    Failure failure_;
};

Walk::Check Walk::keyword(std::string_view name) {
    static const std::unordered_map<std::string_view, Check> kChecks = {
        {"$ref", &Walk::reference},
        {"type", &Walk::type},
        {"enum", &Walk::enumeration},
        {"const", &Walk::enumeration},
        {"minimum", &Walk::minimum},
        {"maximum", &Walk::maximum},
        {"exclusiveMinimum", &Walk::exclusiveMinimum},
        {"exclusiveMaximum", &Walk::exclusiveMaximum},
        {"multipleOf", &Walk::multipleOf},
        {"minLength", &Walk::minLength},
        {"maxLength", &Walk::maxLength},
        {"pattern", &Walk::pattern},
        {"prefixItems", &Walk::prefixItems},
        {"items", &Walk::items},
        {"additionalItems", &Walk::additionalItems},
        {"contains", &Walk::contains},
        {"minItems", &Walk::minItems},
        {"maxItems", &Walk::maxItems},
        {"uniqueItems", &Walk::uniqueItems},
        {"properties", &Walk::properties},
        {"patternProperties", &Walk::patternProperties},
        {"additionalProperties", &Walk::additionalProperties},
        {"propertyNames", &Walk::propertyNames},
        {"required", &Walk::required},
        {"minProperties", &Walk::minProperties},
        {"maxProperties", &Walk::maxProperties},
        {"dependencies", &Walk::dependencies},
        {"dependentRequired", &Walk::dependencies},
        {"dependentSchemas", &Walk::dependencies},
        {"allOf", &Walk::allOf},
        {"anyOf", &Walk::anyOf},
        {"oneOf", &Walk::oneOf},
        {"not", &Walk::negation},
        {"if", &Walk::condition},
        {"unevaluatedProperties", &Walk::unevaluatedProperties},
        {"unevaluatedItems", &Walk::unevaluatedItems},
    };
    const auto found = kChecks.find(name);
    return found == kChecks.end() ? nullptr : found->second;
}

bool Walk::check(const Value& schema, const Value& v) {
    if (exhausted_) return false;
    const Value* s = &schema;
    for (auto to = prepared_.references.find(s);
         to != prepared_.references.end() && (prepared_.references_stand_alone || s->MemberCount() == 1);
         to = prepared_.references.find(s)) {
        spend(1);
        s = to->second;
    }
    if (s->IsBool()) return s->GetBool() || fail("not allowed");
    if (v.IsNull() && json::boolean(*s, "nullable").value_or(false)) return true;
    if (calls_ >= kMaxCalls) {
        exhausted_ = "the schema applies itself without end to one value";
        return false;
    }
    ++calls_;
    const bool ok = std::all_of(s->MemberBegin(), s->MemberEnd(), [&](const auto& m) {
        const Check holds = spend(1) ? keyword(view(m.name)) : nullptr;
        return !holds || (this->*holds)(*s, m.value, v);
    });
    --calls_;
    return ok && !exhausted_;
}

bool Walk::reference(const Value& schema, const Value&, const Value& v) {
    return check(*prepared_.references.at(&schema), v);
}

bool Walk::type(const Value&, const Value& argument, const Value& v) {
    if (argument.IsString())
        return isOfType(v, view(argument)) || fail("not of type " + std::string(view(argument)));
    std::string names;
    for (const Value& name : argument.GetArray()) {
        if (isOfType(v, view(name))) return true;
        names += (names.empty() ? "" : " or ") + std::string(view(name));
    }
    return fail("not of type " + names);
}

bool Walk::enumeration(const Value&, const Value& argument, const Value& v) {
    const std::string text = canonical(v);
    return spend(text.size() / 4) &&
           (prepared_.allowed.at(&argument).count(text) > 0 || fail("not an allowed value"));
}

bool Walk::minimum(const Value& schema, const Value& argument, const Value& v) {
    if (json::boolean(schema, "exclusiveMinimum").value_or(false))
        return exclusiveMinimum(schema, argument, v);
    return demand(!v.IsNumber() || compare(v, argument) >= 0, "below the minimum of ", argument);
}
bool Walk::maximum(const Value& schema, const Value& argument, const Value& v) {
    if (json::boolean(schema, "exclusiveMaximum").value_or(false))
        return exclusiveMaximum(schema, argument, v);
    return demand(!v.IsNumber() || compare(v, argument) <= 0, "above the maximum of ", argument);
}
bool Walk::exclusiveMinimum(const Value&, const Value& argument, const Value& v) {
    if (argument.IsBool()) return true;  // draft 4: it qualifies `minimum`
    return demand(!v.IsNumber() || compare(v, argument) > 0, "not above ", argument);
}
bool Walk::exclusiveMaximum(const Value&, const Value& argument, const Value& v) {
    if (argument.IsBool()) return true;
    return demand(!v.IsNumber() || compare(v, argument) < 0, "not below ", argument);
}
bool Walk::multipleOf(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsNumber() || isMultiple(v, argument), "not a multiple of ", argument);
}

bool Walk::minLength(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsString() || length(v) >= argument.GetDouble(), "shorter than ", argument,
                  " characters");
}
bool Walk::maxLength(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsString() || length(v) <= argument.GetDouble(), "longer than ", argument,
                  " characters");
}
bool Walk::pattern(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsString() || matches(argument, v).value_or(true), "does not match the pattern ",
                  argument);
}

bool Walk::prefixItems(const Value&, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    const auto count = std::min(v.Size(), argument.Size());
    for (rapidjson::SizeType i = 0; i < count; ++i)
        if (!inside(i, argument[i], v[i])) return false;
    return true;
}
bool Walk::items(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    if (argument.IsArray()) return prefixItems(schema, argument, v);
    const Value* prefix = find(schema, "prefixItems");
    for (rapidjson::SizeType i = prefix ? prefix->Size() : 0; i < v.Size(); ++i)
        if (!inside(i, argument, v[i])) return false;
    return true;
}
bool Walk::additionalItems(const Value& schema, const Value& argument, const Value& v) {
    const Value* tuple = find(schema, "items");
    if (!v.IsArray() || !tuple || !tuple->IsArray()) return true;
    for (auto i = tuple->Size(); i < v.Size(); ++i)
        if (!inside(i, argument, v[i])) return false;
    return true;
}
bool Walk::contains(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    const double least = json::number(schema, "minContains").value_or(1);
    const auto most = json::number(schema, "maxContains");
    const size_t unknowns = unknowns_;
    size_t count = 0;
    for (rapidjson::SizeType i = 0; i < v.Size() && (most || count < least); ++i)
        count += inside(i, argument, v[i]);
    if (count < least)
        return fail(count == 0 ? "no item is as `contains` asks" : "too few items are as `contains` asks");
    return !most || count <= *most || unknowns_ > unknowns ||
           fail("more items than `maxContains` are as `contains` asks");
}
bool Walk::minItems(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsArray() || v.Size() >= argument.GetDouble(), "fewer items than ", argument);
}
bool Walk::maxItems(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsArray() || v.Size() <= argument.GetDouble(), "more items than ", argument);
}
bool Walk::uniqueItems(const Value&, const Value& argument, const Value& v) {
    if (!v.IsArray() || !argument.GetBool()) return true;
    std::unordered_set<std::string> seen;
    for (const Value& item : v.GetArray()) {
        std::string text = canonical(item);
        if (!spend(16 + text.size() / 4)) return false;
        if (!seen.insert(std::move(text)).second) return fail("the items are not unique");
    }
    return true;
}

bool Walk::properties(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const auto& m : v.GetObject()) {
        if (!spendOnSearch(argument)) return false;
        const Value* schema = find(argument, view(m.name));
        if (schema && !inside(m.name, *schema, m.value)) return false;
    }
    return true;
}
bool Walk::patternProperties(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const auto& m : v.GetObject())
        for (const auto& p : argument.GetObject())
            if (matches(p.name, m.name).value_or(false) && !inside(m.name, p.value, m.value)) return false;
    return true;
}
bool Walk::additionalProperties(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    const Value* named = find(schema, "properties");
    const Value* patterns = find(schema, "patternProperties");
    for (const auto& m : v.GetObject()) {
        if (!spendOnSearch(named ? *named : schema)) return false;
        if (named && find(*named, view(m.name))) continue;
        if (patterns && std::any_of(patterns->MemberBegin(), patterns->MemberEnd(),
                                    [&](const auto& p) { return matches(p.name, m.name).value_or(true); }))
            continue;
        if (!inside(m.name, argument, m.value)) return false;
    }
    return true;
}
bool Walk::propertyNames(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    return std::all_of(v.MemberBegin(), v.MemberEnd(),
                       [&](const auto& m) { return inside(m.name, argument, m.name); });
}
bool Walk::required(const Value&, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const Value& name : argument.GetArray()) {
        if (!spendOnSearch(v)) return false;
        if (!find(v, view(name))) return fail("the required member " + json::dump(name) + " is missing");
    }
    return true;
}
bool Walk::minProperties(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsObject() || v.MemberCount() >= argument.GetDouble(), "fewer members than ", argument);
}
bool Walk::maxProperties(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsObject() || v.MemberCount() <= argument.GetDouble(), "more members than ", argument);
}
bool Walk::dependencies(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const auto& m : argument.GetObject()) {
        if (!spendOnSearch(v)) return false;
        if (!find(v, view(m.name))) continue;
        if (m.value.IsArray() ? !required(schema, m.value, v) : !check(m.value, v)) return false;
    }
    return true;
}

bool Walk::allOf(const Value&, const Value& argument, const Value& v) {
    return std::all_of(argument.Begin(), argument.End(), [&](const Value& s) { return check(s, v); });
}
// Leaves the failure that got furthest into the value: of `null` and an object schema, the object's tells
// more.
bool Walk::oneAlternative(const Value& alternatives, const Value& v, size_t enough, size_t& matching) {
    Failure furthest{path_, "matches none of the alternatives"};
    matching = 0;
    for (const Value& alternative : alternatives.GetArray()) {
        if (check(alternative, v)) {
            if (++matching == enough) return true;
        } else if (failure_.path.size() > furthest.path.size()) {
            furthest = failure_;
        }
    }
    if (matching == 0) failure_ = std::move(furthest);
    return matching > 0;
}
bool Walk::anyOf(const Value&, const Value& argument, const Value& v) {
    size_t matching;
    return oneAlternative(argument, v, 1, matching);
}
bool Walk::oneOf(const Value&, const Value& argument, const Value& v) {
    const size_t unknowns = unknowns_;
    size_t matching;
    if (!oneAlternative(argument, v, 2, matching)) return false;
    return matching == 1 || unknowns_ > unknowns || fail("matches more than one alternative of `oneOf`");
}
bool Walk::negation(const Value&, const Value& argument, const Value& v) {
    const size_t unknowns = unknowns_;
    return !check(argument, v) || unknowns_ > unknowns || fail("matches what `not` excludes");
}
bool Walk::condition(const Value& schema, const Value& argument, const Value& v) {
    const size_t unknowns = unknowns_;
    const Value* branch = find(schema, check(argument, v) ? "then" : "else");
    return !branch || unknowns_ > unknowns || check(*branch, v);
}

bool Walk::unevaluatedProperties(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsObject()) return true;
    for (const auto& m : v.GetObject()) {
        if (evaluatesMember(schema, m.name) || evaluatesInPlace(schema, v, {&m.name, 0})) continue;
        if (!inside(m.name, argument, m.value)) return false;
    }
    return true;
}
bool Walk::unevaluatedItems(const Value& schema, const Value& argument, const Value& v) {
    if (!v.IsArray()) return true;
    for (rapidjson::SizeType i = 0; i < v.Size(); ++i) {
        if (evaluatesItem(schema, v, i) || evaluatesInPlace(schema, v, {nullptr, i})) continue;
        if (!inside(i, argument, v[i])) return false;
    }
    return true;
}

// Whether a keyword of the schema, which `v` satisfies, is about that member or item of v.
bool Walk::evaluates(const Value& schema, const Value& v, const Step& part) {
    if (!schema.IsObject() || !spend(4)) return false;
    // What stands beside such a reference was never checked.
    const auto to = prepared_.references.find(&schema);
    if (to != prepared_.references.end() && prepared_.references_stand_alone)
        return evaluates(*to->second, v, part);
    if (find(schema, part.key ? "unevaluatedProperties" : "unevaluatedItems")) return true;
    return (part.key ? evaluatesMember(schema, *part.key) : evaluatesItem(schema, v, part.index)) ||
           evaluatesInPlace(schema, v, part);
}
// The same of the schemas that it applies to `v` itself.
bool Walk::evaluatesInPlace(const Value& schema, const Value& v, const Step& part) {
    const auto to = prepared_.references.find(&schema);
    if (to != prepared_.references.end() && evaluates(*to->second, v, part)) return true;
    const auto holds = [&](const Value* s) { return s && check(*s, v) && evaluates(*s, v, part); };
    for (const char* name : {"allOf", "anyOf", "oneOf"})
        if (const Value* all = find(schema, name))
            if (std::any_of(all->Begin(), all->End(), [&](const Value& s) { return holds(&s); })) return true;
    if (const Value* condition = find(schema, "if"))
        if (holds(condition) || holds(find(schema, check(*condition, v) ? "then" : "else"))) return true;
    const Value* dependents = find(schema, "dependentSchemas");
    return dependents && v.IsObject() &&
           std::any_of(dependents->MemberBegin(), dependents->MemberEnd(),
                       [&](const auto& m) { return find(v, view(m.name)) && holds(&m.value); });
}
bool Walk::evaluatesMember(const Value& schema, const Value& name) {
    if (find(schema, "additionalProperties")) return true;
    const Value *named = find(schema, "properties"), *patterns = find(schema, "patternProperties");
    return (named && find(*named, view(name))) ||
           (patterns && std::any_of(patterns->MemberBegin(), patterns->MemberEnd(),
                                    [&](const auto& p) { return matches(p.name, name).value_or(true); }));
}
bool Walk::evaluatesItem(const Value& schema, const Value& v, size_t index) {
    if (const Value* items = find(schema, "items"))
        if (!items->IsArray() || index < items->Size() || find(schema, "additionalItems")) return true;
    const Value *prefix = find(schema, "prefixItems"), *contained = find(schema, "contains");
    return (prefix && index < prefix->Size()) ||
           (contained && inside(index, *contained, v[static_cast<rapidjson::SizeType>(index)]));
}

}  // namespace

Result<void> walk(const Prepared& prepared, const Value& value) { return Walk(prepared).run(value); }

}  // namespace stepper::schema
