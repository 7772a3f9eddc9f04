#include "core/base/json_schema_walk.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "core/base/json_finder.h"
#include "core/base/json_schema_values.h"
#include "core/base/place.h"
#include "core/base/text.h"

namespace stepper::schema {
namespace {

using json::Value;
using json::view;

constexpr size_t kMaxCalls = 200;  // schemas inside schemas at one place of the walk
constexpr size_t kMaxTextInError = 200;
constexpr size_t kLongestKeyword = 21;  // unevaluatedProperties

// For an error; long texts are cut.
std::string shown(const Value& v) {
    if (!v.IsString()) return json::dump(v);
    const auto text = utf8Prefix(view(v), kMaxTextInError);
    return json::dump(Value(rapidjson::StringRef(text.data(), text.size())));
}

// One validation, and one class, because every keyword may apply any other. Every keyword's method answers
// whether `v` satisfies `argument`, which stands in `schema`.
class Walk {
public:
    using Check = bool (Walk::*)(const Value& schema, const Value& argument, const Value& v);

    Walk(const Prepared& prepared, size_t& steps) : prepared_(prepared), steps_(steps) {}

    Result<void> run(const Value& v) {
        const bool matches = check(prepared_.schema, v);
        if (exhausted_) return Error{ErrorClass::BadResponse, exhausted_};
        if (matches) return {};
        std::string where;
        for (const Step& s : failure_.path)
            addPointerToken(where, s.key ? view(*s.key) : std::to_string(s.index));
        if (where.empty()) where = "value";
        return Error{ErrorClass::BadResponse, std::string(utf8Prefix(where, Place::kMostBytes)) + ": " +
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

    // One schema within another, at one place of the walk.
    class Nesting {
    public:
        explicit Nesting(Walk& walk) : walk_(walk) {
            if (++walk_.calls_ > kMaxCalls)
                walk_.exhausted_ = "the schema applies itself without end to one value";
        }
        ~Nesting() { --walk_.calls_; }
        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;
        bool isAllowed() const { return walk_.calls_ <= kMaxCalls; }

    private:
        Walk& walk_;
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
    // Nothing when the pattern cannot be enforced. When the steps are used up, what ends a search soonest.
    std::optional<bool> matches(const Value& pattern, const Value& text) {
        const auto p = prepared_.patterns.find(&pattern);
        if (p == prepared_.patterns.end()) {
            if (!spend(1)) return true;
            ++unknowns_;
            return std::nullopt;
        }
        return !spend((text.GetStringLength() + 1) * (1 + p->second.size() / 16)) ||
               p->second.search(view(text));
    }
    using Schemas = std::vector<const Value*>;
    void addApplied(const Value& schema, const Value& v, Schemas& out);
    void addAppliedInPlace(const Value& schema, const Value& v, Schemas& out);
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
    const Value* find(const Value& object, std::string_view name) {
        spend(1 + name.size() / 64);
        return finder_.find(object, name);
    }
    bool says(const Value& schema, std::string_view keyword) {
        const Value* v = find(schema, keyword);
        return v && v->IsTrue();
    }
    std::optional<double> numberOf(const Value& schema, std::string_view keyword) {
        const Value* v = find(schema, keyword);
        return v && v->IsNumber() ? std::optional(v->GetDouble()) : std::nullopt;
    }
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
        return ok || fail(what + shown(limit) + unit);
    }

    const Prepared& prepared_;
    json::Finder finder_;
    size_t& steps_;
    size_t calls_ = 0;
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
    // Strangers also write names of megabytes.
    const auto found = name.size() > kLongestKeyword ? kChecks.end() : kChecks.find(name);
    return found == kChecks.end() ? nullptr : found->second;
}

bool Walk::check(const Value& schema, const Value& v) {
    if (exhausted_ || !spend(1)) return false;
    const Value* s = &schema;
    for (auto to = prepared_.references.find(s);
         to != prepared_.references.end() && (prepared_.references_stand_alone || s->MemberCount() == 1);
         to = prepared_.references.find(s)) {
        spend(1);
        s = to->second;
    }
    if (s->IsBool()) return s->GetBool() || fail("not allowed");
    if (v.IsNull() && says(*s, "nullable")) return true;
    const Nesting nesting(*this);
    if (!nesting.isAllowed()) return false;
    const bool ok = std::all_of(s->MemberBegin(), s->MemberEnd(), [&](const auto& m) {
        const Check holds = spend(1) ? keyword(view(m.name)) : nullptr;
        return !holds || (this->*holds)(*s, m.value, v);
    });
    return ok && !exhausted_;
}

bool Walk::reference(const Value& schema, const Value&, const Value& v) {
    return check(*prepared_.references.at(&schema), v);
}

bool Walk::type(const Value&, const Value& argument, const Value& v) {
    if (argument.IsString())
        return isOfType(v, view(argument)) || fail("not of type " + std::string(view(argument)));
    if (!spend(argument.Size())) return false;
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
           (prepared_.allowed.at(&argument).contains(text) || fail("not an allowed value"));
}

bool Walk::minimum(const Value& schema, const Value& argument, const Value& v) {
    if (says(schema, "exclusiveMinimum")) return exclusiveMinimum(schema, argument, v);
    return demand(!v.IsNumber() || compare(v, argument) >= 0, "below the minimum of ", argument);
}
bool Walk::maximum(const Value& schema, const Value& argument, const Value& v) {
    if (says(schema, "exclusiveMaximum")) return exclusiveMaximum(schema, argument, v);
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
bool Walk::minItems(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsArray() || v.Size() >= argument.GetDouble(), "fewer items than ", argument);
}
bool Walk::maxItems(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsArray() || v.Size() <= argument.GetDouble(), "more items than ", argument);
}
bool Walk::uniqueItems(const Value&, const Value& argument, const Value& v) {
    if (!v.IsArray() || !argument.GetBool()) return true;
    std::set<std::string> seen;
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
        if (!find(v, view(name))) return fail("the required member " + shown(name) + " is missing");
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
bool Walk::unevaluatedItems(const Value& schema, const Value& argument, const Value& v) {
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
void Walk::addApplied(const Value& schema, const Value& v, Schemas& out) {
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
void Walk::addAppliedInPlace(const Value& schema, const Value& v, Schemas& out) {
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

Result<void> walk(const Prepared& prepared, const Value& value, size_t& steps) {
    return Walk(prepared, steps).run(value);
}

}  // namespace stepper::schema
