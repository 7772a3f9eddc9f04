#include "core/schema/walk.h"

#include <unordered_map>

#include "core/base/place.h"
#include "core/schema/walker.h"

namespace stepper::schema {
namespace {

constexpr size_t kMaxTextInError = 200;
constexpr size_t kLongestKeyword = 21;  // unevaluatedProperties

}  // namespace

std::string shown(const Value& v) {
    if (!v.IsString()) return json::dump(v);
    const auto text = utf8Prefix(view(v), kMaxTextInError);
    return json::dump(Value(rapidjson::StringRef(text.data(), text.size())));
}

Result<void> Walker::run(const Value& v) {
    const bool matches = check(prepared_.schema, v);
    if (effort_.interruption()) return *effort_.interruption();
    if (exhausted_) return Error{ErrorClass::BadResponse, exhausted_};
    if (matches) return {};
    std::string where;
    for (const Step& s : failure_.path)
        addPointerToken(where, s.key ? view(*s.key) : std::to_string(s.index));
    if (where.empty()) where = "value";
    return Error{ErrorClass::BadResponse, std::string(utf8Prefix(where, Place::kMostBytes)) + ": " +
                                              std::string(utf8Prefix(failure_.what, kMaxTextInError))};
}

Walker::Check Walker::keyword(std::string_view name) {
    static const std::unordered_map<std::string_view, Check> kChecks = {
        {"$ref", &Walker::reference},
        {"type", &Walker::type},
        {"enum", &Walker::enumeration},
        {"const", &Walker::enumeration},
        {"minimum", &Walker::minimum},
        {"maximum", &Walker::maximum},
        {"exclusiveMinimum", &Walker::exclusiveMinimum},
        {"exclusiveMaximum", &Walker::exclusiveMaximum},
        {"multipleOf", &Walker::multipleOf},
        {"minLength", &Walker::minLength},
        {"maxLength", &Walker::maxLength},
        {"pattern", &Walker::pattern},
        {"prefixItems", &Walker::prefixItems},
        {"items", &Walker::items},
        {"additionalItems", &Walker::additionalItems},
        {"contains", &Walker::contains},
        {"minItems", &Walker::minItems},
        {"maxItems", &Walker::maxItems},
        {"uniqueItems", &Walker::uniqueItems},
        {"properties", &Walker::properties},
        {"patternProperties", &Walker::patternProperties},
        {"additionalProperties", &Walker::additionalProperties},
        {"propertyNames", &Walker::propertyNames},
        {"required", &Walker::required},
        {"minProperties", &Walker::minProperties},
        {"maxProperties", &Walker::maxProperties},
        {"dependencies", &Walker::dependencies},
        {"dependentRequired", &Walker::dependencies},
        {"dependentSchemas", &Walker::dependencies},
        {"allOf", &Walker::allOf},
        {"anyOf", &Walker::anyOf},
        {"oneOf", &Walker::oneOf},
        {"not", &Walker::negation},
        {"if", &Walker::condition},
        {"unevaluatedProperties", &Walker::unevaluatedProperties},
        {"unevaluatedItems", &Walker::unevaluatedItems},
    };
    // Strangers also write names of megabytes.
    const auto found = name.size() > kLongestKeyword ? kChecks.end() : kChecks.find(name);
    return found == kChecks.end() ? nullptr : found->second;
}

bool Walker::check(const Value& schema, const Value& v) {
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

bool Walker::reference(const Value& schema, const Value&, const Value& v) {
    return check(*prepared_.references.at(&schema), v);
}

std::optional<bool> Walker::matches(const Value& pattern, const Value& text) {
    const auto p = prepared_.patterns.find(&pattern);
    if (p == prepared_.patterns.end()) {
        if (!spend(1)) return true;
        ++unknowns_;
        return std::nullopt;
    }
    return !spend((text.GetStringLength() + 1) * (1 + p->second.size() / 16)) || p->second.search(view(text));
}

Result<void> walk(const Prepared& prepared, const Value& value, Effort& effort) {
    return Walker(prepared, effort).run(value);
}

}  // namespace stepper::schema
