// The `callbacks` and the `callbackUrl` of a request: whether they could be called. Pure, any thread.
#pragma once
#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/base/result.h"

namespace stepper::prompt {

inline constexpr size_t kMostCallbacks = 5;

// Each {url, headers?, continueOnFailure?, retry?: {maxAttempts 1..5, backoffMs 100..60000}}. InvalidRequest
// "callbacks.0.url: <problem>" of the first that is wrong.
Result<void> checkCallbacks(const json::Value& callbacks);
// What is wrong with a URL that is to be called; none: nothing.
std::optional<std::string> callbackUrlProblem(const json::Value& url);

}  // namespace stepper::prompt
