// The OpenAI-shaped chat request that plugins translate. Pure.
#pragma once
#include <string>

#include "core/config/config.h"
#include "core/engine/request.h"
#include "core/prompt/messages.h"

namespace stepper::engine {

// The messages a provider is sent for this request; commit reports come in the provider's prompt variant.
// InvalidRequest when the prompt renders to nothing.
Result<prompt::Messages> messagesFor(const GenerateRequest& request, const config::Provider& provider,
                                     bool redact);

// {"model","messages","stream","max_tokens"?,"response_format"?}
std::string chatRequestJson(const GenerateRequest& request, const config::Provider& provider,
                            const prompt::Messages& messages, bool stream);

}  // namespace stepper::engine
