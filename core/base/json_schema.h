// JSON Schema, drafts 4 to 7, safe with schemas written by strangers: size, depth and work are bounded,
// patterns run in linear time (pattern.h), and what cannot be enforced is refused instead of ignored.
// References stay inside the document. Annotations (title, format, default, $id, ...) are not checked.
// `integer` includes 1.0, and keywords beside $ref do not count, as in draft 6 and 7.
#pragma once
#include <memory>

#include "core/base/json.h"

namespace stepper {

// A compiled schema. Immutable: validate() may be called from any thread, on a stack of 256 KiB.
class JsonSchema {
public:
    // InvalidRequest naming the place in the schema ("/properties/a/pattern: look-around is not supported").
    static Result<JsonSchema> compile(const json::Value& schema);

    // BadResponse naming the place in the value and what is wrong with it ("/items/3/price: not of type
    // number").
    Result<void> validate(const json::Value& value) const;

private:
    struct Compiled;
    explicit JsonSchema(std::shared_ptr<const Compiled> c) : compiled_(std::move(c)) {}
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace stepper
