// How JSON Schema sees values: type, order, equality, place. Pure functions, for json_schema*.cpp only.
#pragma once
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace stepper::schema {

// Equal JSON values have equal canonical texts, whatever the order of members and the notation of numbers.
std::string canonical(const json::Value& v);

// `type` is one of the seven names.
bool isOfType(const json::Value& v, std::string_view type);
// 1 and 1.0 are.
bool isIntegral(const json::Value& v);

// For numbers. Negative, zero or positive, like a - b but exact for integers.
int compare(const json::Value& a, const json::Value& b);
// `of` is above 0.
bool isMultiple(const json::Value& v, const json::Value& of);

}  // namespace stepper::schema
