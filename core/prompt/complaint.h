// What is wrong with a member of a client's JSON, in the words of the contract: "<path>: <problem>". Pure.
#pragma once
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace stepper::prompt {

// "string", "number", "null", ...
std::string_view typeName(const json::Value& v);
// "Expected string, received number"
std::string expected(std::string_view type, const json::Value& v);
// "String must contain at most 128 character(s)"; `bound` is "least" or "most".
std::string textOf(std::string_view bound, size_t characters);
std::string arrayOfAtMost(size_t elements);

}  // namespace stepper::prompt
