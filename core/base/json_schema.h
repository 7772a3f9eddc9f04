// JSON Schema, draft 4 to 7 as far as the valijson library goes. References outside the document are refused.
#pragma once
#include <memory>

#include "core/base/json.h"

namespace stepper {

// A compiled schema. Immutable: validate() may be called from any thread.
class JsonSchema {
public:
    // InvalidRequest when the value is no usable schema.
    static Result<JsonSchema> compile(const json::Value& schema);

    // BadResponse naming the place in the value ("/items/3/price") and what is wrong with it.
    Result<void> validate(const json::Value& value) const;

private:
    struct Compiled;
    explicit JsonSchema(std::shared_ptr<const Compiled> c) : compiled_(std::move(c)) {}
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace stepper
