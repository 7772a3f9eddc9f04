#include "core/prompt/complaint.h"

namespace stepper::prompt {

std::string_view typeName(const json::Value& v) {
    switch (v.GetType()) {
        case rapidjson::kNullType: return "null";
        case rapidjson::kFalseType:
        case rapidjson::kTrueType: return "boolean";
        case rapidjson::kObjectType: return "object";
        case rapidjson::kArrayType: return "array";
        case rapidjson::kStringType: return "string";
        case rapidjson::kNumberType: break;
    }
    return "number";
}

std::string expected(std::string_view type, const json::Value& v) {
    return "Expected " + std::string(type) + ", received " + std::string(typeName(v));
}

std::string textOf(std::string_view bound, size_t characters) {
    return "String must contain at " + std::string(bound) + " " + std::to_string(characters) +
           " character(s)";
}

std::string arrayOfAtMost(size_t elements) {
    return "Array must contain at most " + std::to_string(elements) + " element(s)";
}

}  // namespace stepper::prompt
