// What a generic request is answered when every provider failed and fallback is on. Constant, any thread.
#pragma once
#include <string_view>

#include "core/base/json.h"

namespace stepper::prompt {

// {"error":"GENERATION_FAILED","message":...,"retryable":true}
json::Document fallbackJson();
// One sentence.
std::string_view fallbackText();

}  // namespace stepper::prompt
