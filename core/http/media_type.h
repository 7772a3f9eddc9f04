// The one media type requests may carry.
#pragma once
#include <string_view>

namespace stepper::http {

// "application/json", "text/json" or "…/…+json", in UTF-8 (or ASCII, a part of it) as far as it says.
bool isJson(std::string_view content_type);

}  // namespace stepper::http
