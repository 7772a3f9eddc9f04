#include "core/base/json_schema.h"

#include <valijson/adapters/rapidjson_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace stepper {

struct JsonSchema::Compiled {
    valijson::Schema schema;
};

Result<JsonSchema> JsonSchema::compile(const json::Value& schema) {
    if (!schema.IsObject() && !schema.IsBool())
        return Error{ErrorClass::InvalidRequest, "a JSON Schema is an object or a boolean"};
    auto compiled = std::make_shared<Compiled>();
    try {
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.populateSchema(valijson::adapters::RapidJsonAdapter(schema), compiled->schema);
    } catch (const std::exception& e) {
        return Error{ErrorClass::InvalidRequest, std::string("not a usable JSON Schema: ") + e.what()};
    }
    return JsonSchema(std::move(compiled));
}

Result<void> JsonSchema::validate(const json::Value& value) const {
    try {
        valijson::Validator validator(valijson::Validator::kStrongTypes);
        valijson::ValidationResults results;
        if (validator.validate(compiled_->schema, valijson::adapters::RapidJsonAdapter(value), &results)) return {};
        // The last finding is the innermost one: the library reports from the leaf up.
        valijson::ValidationResults::Error finding;
        std::string where, what = "does not match the schema";
        if (results.popError(finding)) {
            what = finding.description;
            for (const auto& step : finding.context)
                if (step.size() > 2 && step.front() == '[') where += "/" + step.substr(1, step.size() - 2);
        }
        return Error{ErrorClass::BadResponse, (where.empty() ? std::string("value") : where) + ": " + what};
    } catch (const std::exception& e) {
        return Error{ErrorClass::BadResponse, std::string("schema validation failed: ") + e.what()};
    }
}

}  // namespace stepper
