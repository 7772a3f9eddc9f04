// What the plugin sends: a chat request in Gemini's words. Pure functions.
#pragma once
#include <string>
#include <string_view>

#include "stepper/kit/chat.hpp"
#include "stepper/kit/config.hpp"

namespace gemini {

// "https://host/" or "https://host/v1beta" -> "https://host/v1beta/models".
std::string modelsUrl(std::string_view base_url);

// The model's name as part of a URL's path; "models/x" and "x" are the same model.
std::string modelPath(std::string_view model);

// The JSON body. `options` is the provider's block of that name, as the config schema allows it.
std::string requestBody(const stepper::kit::ChatRequest& chat, const stepper::kit::Value& options);

}  // namespace gemini
