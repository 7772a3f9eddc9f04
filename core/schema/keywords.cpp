#include "core/schema/keywords.h"

#include <unordered_map>
#include <unordered_set>

namespace stepper::schema {

std::optional<Shape> shapeOf(std::string_view keyword) {
    static const std::unordered_map<std::string_view, Shape> kShapes = {
        {"type", Shape::Types},
        {"enum", Shape::Values},
        {"const", Shape::Constant},
        {"minimum", Shape::Number},
        {"maximum", Shape::Number},
        {"exclusiveMinimum", Shape::NumberOrBoolean},
        {"exclusiveMaximum", Shape::NumberOrBoolean},
        {"multipleOf", Shape::PositiveNumber},
        {"minLength", Shape::Count},
        {"maxLength", Shape::Count},
        {"pattern", Shape::Pattern},
        {"prefixItems", Shape::Schemas},
        {"items", Shape::SchemaOrSchemas},
        {"additionalItems", Shape::Schema},
        {"contains", Shape::Schema},
        {"minContains", Shape::Count},
        {"maxContains", Shape::Count},
        {"minItems", Shape::Count},
        {"maxItems", Shape::Count},
        {"uniqueItems", Shape::Boolean},
        {"properties", Shape::SchemaMap},
        {"patternProperties", Shape::PatternMap},
        {"additionalProperties", Shape::Schema},
        {"propertyNames", Shape::Schema},
        {"required", Shape::Strings},
        {"minProperties", Shape::Count},
        {"maxProperties", Shape::Count},
        {"dependencies", Shape::Dependencies},
        {"dependentRequired", Shape::Dependents},
        {"dependentSchemas", Shape::SchemaMap},
        {"nullable", Shape::Boolean},
        {"allOf", Shape::Schemas},
        {"anyOf", Shape::Schemas},
        {"oneOf", Shape::Schemas},
        {"not", Shape::Schema},
        {"unevaluatedItems", Shape::Schema},
        {"unevaluatedProperties", Shape::Schema},
        {"if", Shape::Schema},
        {"then", Shape::Schema},
        {"else", Shape::Schema},
        {"definitions", Shape::SchemaMap},
        {"$defs", Shape::SchemaMap},
    };
    const auto found = kShapes.find(keyword);
    return found == kShapes.end() ? std::nullopt : std::optional(found->second);
}

bool isForeign(std::string_view name) {
    static const std::unordered_set<std::string_view> kForeign = {"$dynamicRef", "$recursiveRef", "extends",
                                                                  "disallow", "divisibleBy"};
    return kForeign.count(name) > 0;
}

bool isAnnotation(std::string_view name) {
    static const std::unordered_set<std::string_view> kAnnotations = {
        "$schema",
        "$id",
        "id",
        "$anchor",
        "$dynamicAnchor",
        "$vocabulary",
        "$comment",
        "title",
        "description",
        "default",
        "examples",
        "example",
        "format",
        "deprecated",
        "readOnly",
        "writeOnly",
        "xml",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "externalDocs",
        "discriminator",
    };
    return kAnnotations.count(name) > 0;
}

}  // namespace stepper::schema
