// Validation of a value against a prepared schema: the inner half of json_schema.h, for its .cpp only.
#pragma once
#include <set>
#include <string>
#include <unordered_map>

#include "core/base/effort.h"
#include "core/base/json.h"
#include "core/schema/pattern.h"

namespace stepper::schema {

// A schema whose form has been checked, and what its text alone does not hold. Keys are places inside
// `schema`.
struct Prepared {
    json::Document schema;
    std::unordered_map<const json::Value*, const json::Value*> references;
    bool references_stand_alone = false;  // drafts 4 to 7: what is beside a $ref does not count
    std::unordered_map<const json::Value*, Pattern> patterns;               // those that can be enforced
    std::unordered_map<const json::Value*, std::set<std::string>> allowed;  // enum and const, canonical
};

// BadResponse with the place in `value` and what is wrong there, or why `effort` was interrupted. `value`
// nests at most 64 levels.
Result<void> walk(const Prepared& prepared, const json::Value& value, Effort& effort);

}  // namespace stepper::schema
