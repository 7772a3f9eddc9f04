// Finds the JSON value in a model's answer. Pure, any thread; time grows linearly with the text, whatever it
// holds.
#pragma once
#include <string_view>

#include "core/base/json.h"

namespace stepper::output {

// In this order: the whole text, or all of its one code fence, as any JSON value; the first object or array
// that opens a fence marked json or not at all; the first object or array in the prose. Brackets around prose
// are passed over, a broken value is passed over as a whole, and a value cut off by the end of the text is no
// value: parts of it are never taken for the answer. Limits are those of json::parse. BadResponse with the
// contract's sentence when there is none.
Result<json::Document> extract(std::string_view text);

}  // namespace stepper::output
