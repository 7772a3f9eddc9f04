// The report a model has to return: the Rules, checked and described to providers. Pure, any thread.
#pragma once
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"

namespace stepper::report {

// The report in its final form: known members only, in the contract's order, strings trimmed, empty
// next_steps left out, tags as one text "a, b" even if they came as an array. Lengths count code points.
// BadResponse listing every broken rule: "title: 7 characters, needs 10 to 120; tags: empty tag".
Result<json::Document> check(const json::Value& generated);

// The same rules as JSON Schema text, for a provider's response_format.
std::string_view jsonSchema();

}  // namespace stepper::report
