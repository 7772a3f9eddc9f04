// What a schema's members mean. Pure, any thread.
#pragma once
#include <optional>
#include <string_view>

namespace stepper::schema {

// The form a keyword's argument must have.
enum class Shape {
    Schema,
    Schemas,
    SchemaOrSchemas,
    SchemaMap,
    PatternMap,
    Dependencies,
    Dependents,
    Count,
    Number,
    NumberOrBoolean,
    PositiveNumber,
    Boolean,
    Strings,
    Types,
    Values,
    Constant,
    Pattern,
};

// None when the name is no keyword that demands something.
std::optional<Shape> shapeOf(std::string_view keyword);

// Keywords of other drafts that would change the answer.
bool isForeign(std::string_view name);

bool isAnnotation(std::string_view name);

}  // namespace stepper::schema
