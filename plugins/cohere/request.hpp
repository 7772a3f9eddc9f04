// What the plugin sends: a chat request in Cohere's words. Pure functions.
#pragma once
#include <string>
#include <string_view>

#include "stepper/kit/chat.hpp"
#include "stepper/kit/config.hpp"

namespace cohere {

// "https://host/v2/" -> "https://host".
std::string serverUrl(std::string_view base_url);

// The JSON body for /v2/chat. `options` is the provider's block of that name, as the config schema allows it.
std::string bodyV2(const stepper::kit::ChatRequest& chat, const stepper::kit::Value& options);

// The same for /v1/chat. Throws std::invalid_argument for what that version cannot say.
std::string bodyV1(const stepper::kit::ChatRequest& chat, const stepper::kit::Value& options);

}  // namespace cohere
