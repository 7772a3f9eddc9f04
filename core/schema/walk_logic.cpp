#include "core/schema/walker.h"

namespace stepper::schema {

bool Walker::allOf(const Value&, const Value& argument, const Value& v) {
    return std::all_of(argument.Begin(), argument.End(), [&](const Value& s) { return check(s, v); });
}

// Leaves the failure that got furthest into the value: of `null` and an object schema, the object's tells
// more.
bool Walker::oneAlternative(const Value& alternatives, const Value& v, size_t enough, size_t& matching) {
    Mismatch furthest{path_, "matches none of the alternatives"};
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

bool Walker::anyOf(const Value&, const Value& argument, const Value& v) {
    size_t matching;
    return oneAlternative(argument, v, 1, matching);
}

bool Walker::oneOf(const Value&, const Value& argument, const Value& v) {
    const size_t unknowns = unknowns_;
    size_t matching;
    if (!oneAlternative(argument, v, 2, matching)) return false;
    return matching == 1 || unknowns_ > unknowns || fail("matches more than one alternative of `oneOf`");
}

bool Walker::negation(const Value&, const Value& argument, const Value& v) {
    const size_t unknowns = unknowns_;
    return !check(argument, v) || unknowns_ > unknowns || fail("matches what `not` excludes");
}

bool Walker::condition(const Value& schema, const Value& argument, const Value& v) {
    const size_t unknowns = unknowns_;
    const Value* branch = find(schema, check(argument, v) ? "then" : "else");
    return !branch || unknowns_ > unknowns || check(*branch, v);
}

}  // namespace stepper::schema
