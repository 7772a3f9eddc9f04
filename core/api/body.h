// The body of a request as JSON. Pure; errors are refusals, see refusal.h.
#pragma once
#include <memory>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"

namespace stepper::api {

inline constexpr std::string_view kContractVersion = "1";

using Body = std::shared_ptr<const json::Document>;

// The text after its byte order mark, which some clients begin with and which says nothing.
std::string_view withoutMark(std::string_view text);
// One JSON text in UTF-8, with or without a byte order mark; an empty one counts as {}.
Result<Body> parseBody(std::string_view text);
// Whether the body names no contract version other than ours.
Result<void> checkVersion(const json::Value& body);

}  // namespace stepper::api
