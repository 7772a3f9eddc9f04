#include "core/schema/values.h"
#include "core/schema/walker.h"

namespace stepper::schema {

bool Walker::type(const Value&, const Value& argument, const Value& v) {
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

bool Walker::enumeration(const Value&, const Value& argument, const Value& v) {
    const std::string text = canonical(v);
    return spend(text.size() / 4) &&
           (prepared_.allowed.at(&argument).contains(text) || fail("not an allowed value"));
}

bool Walker::minimum(const Value& schema, const Value& argument, const Value& v) {
    if (says(schema, "exclusiveMinimum")) return exclusiveMinimum(schema, argument, v);
    return demand(!v.IsNumber() || compare(v, argument) >= 0, "below the minimum of ", argument);
}

bool Walker::maximum(const Value& schema, const Value& argument, const Value& v) {
    if (says(schema, "exclusiveMaximum")) return exclusiveMaximum(schema, argument, v);
    return demand(!v.IsNumber() || compare(v, argument) <= 0, "above the maximum of ", argument);
}

bool Walker::exclusiveMinimum(const Value&, const Value& argument, const Value& v) {
    if (argument.IsBool()) return true;  // draft 4: it qualifies `minimum`
    return demand(!v.IsNumber() || compare(v, argument) > 0, "not above ", argument);
}

bool Walker::exclusiveMaximum(const Value&, const Value& argument, const Value& v) {
    if (argument.IsBool()) return true;
    return demand(!v.IsNumber() || compare(v, argument) < 0, "not below ", argument);
}

bool Walker::multipleOf(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsNumber() || isMultiple(v, argument), "not a multiple of ", argument);
}

bool Walker::minLength(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsString() || length(v) >= argument.GetDouble(), "shorter than ", argument,
                  " characters");
}

bool Walker::maxLength(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsString() || length(v) <= argument.GetDouble(), "longer than ", argument,
                  " characters");
}

bool Walker::pattern(const Value&, const Value& argument, const Value& v) {
    return demand(!v.IsString() || matches(argument, v).value_or(true), "does not match the pattern ",
                  argument);
}

}  // namespace stepper::schema
