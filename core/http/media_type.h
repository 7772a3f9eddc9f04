// The one media type requests may carry.
#pragma once
#include <string_view>

namespace stepper::http {

// "application/json" or "…/…+json", in UTF-8 as far as it says.
bool isJson(std::string_view content_type);

}  // namespace stepper::http
