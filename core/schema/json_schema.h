// JSON Schema, drafts 4, 6, 7, 2019-09 and 2020-12, safe with schemas written by strangers: size, depth and
// work are bounded, patterns run in linear time (pattern.h), and what cannot be enforced is refused instead
// of ignored, but for patterns that only a backtracking search could hold: those count as fulfilled, and
// warnings() names them. References stay inside the document. Annotations (title, format, default, $id, ...)
// are not checked. `integer` includes 1.0. Keywords beside $ref count unless `$schema` names draft 4, 6 or 7.
// `nullable: true`, OpenAPI's, allows null.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/base/effort.h"
#include "core/base/json.h"

namespace stepper {

// A compiled schema. Immutable: validate() may be called from any thread, on a stack of 256 KiB.
class JsonSchema {
public:
    // InvalidRequest naming the place in the schema ("/properties/a/pattern: look-around is not supported").
    static Result<JsonSchema> compile(const json::Value& schema);

    // A fraction of a second; no schema that describes its values comes near.
    static constexpr size_t kMostSteps = 10'000'000;

    // BadResponse naming the place in the value and what is wrong with it ("/items/3/price: not of type
    // number"), or that it takes too long when the effort's steps are used up; of an interrupted effort, its
    // error.
    Result<void> validate(const json::Value& value, Effort& effort) const;
    Result<void> validate(const json::Value& value) const {
        Effort effort(kMostSteps);
        return validate(value, effort);
    }

    // What counts as fulfilled without being checked: "/properties/a/pattern is not enforced: ...". A few at
    // most.
    const std::vector<std::string>& warnings() const;

    // What a schema's member of that name means.
    enum class Keyword { Constraint, Annotation, None };
    static Keyword keyword(std::string_view name);

private:
    struct Compiled;
    explicit JsonSchema(std::shared_ptr<const Compiled> c) : compiled_(std::move(c)) {}
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace stepper
