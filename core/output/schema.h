// What a client wants an answer to look like: `outputSchema` of a generate request.
#pragma once
#include <string>

#include "core/schema/json_schema.h"

namespace stepper::output {

// Immutable: any thread.
class OutputSchema {
public:
    // {"kind":"http-json",...} or {"kind":"json-schema","schema":{...}}. A schema still in the wrapping that
    // an API of a provider wants ({"name", "strict", "schema"}, a response_format, a function) is taken out
    // of it; one that constrains nothing because none of its members is a keyword is refused. InvalidRequest
    // with the contract's sentence: "Invalid outputSchema.properties.a.type: expected one of
    // ...".
    static Result<OutputSchema> parse(const json::Value& v);

    // BadResponse "Output schema validation failed: <place>: <what is wrong>". `effort` as of JsonSchema.
    Result<void> validate(const json::Value& v, Effort& effort) const;
    Result<void> validate(const json::Value& v) const {
        Effort effort(JsonSchema::kMostSteps);
        return validate(v, effort);
    }

    // The JSON Schema to hand to providers, as JSON text; for http-json a translation.
    const std::string& jsonSchema() const { return text_; }

    // What of it is not enforced.
    const std::vector<std::string>& warnings() const { return schema_.warnings(); }

private:
    OutputSchema(JsonSchema schema, std::string text) : schema_(std::move(schema)), text_(std::move(text)) {}

    JsonSchema schema_;
    std::string text_;
};

}  // namespace stepper::output
