// The OpenAI-shaped chat request that plugins translate. Pure.
#pragma once
#include <string>

#include "core/config/config.h"
#include "core/engine/request.h"
#include "core/prompt/messages.h"

namespace stepper::engine {

// The model that the request names, else the provider's own.
const std::string& modelFor(const GenerateRequest& request, const config::Provider& provider);

// The messages a provider is sent for this request. InvalidRequest when there is nothing to ask.
Result<prompt::Messages> messagesFor(const GenerateRequest& request, const config::Provider& provider,
                                     bool redact);

// A request's messages, rendered when first wanted and again only for a provider that gets other words.
// Borrows the request and the providers; used by one thread.
class Rendering {
public:
    Rendering(const GenerateRequest& request, bool redact) : request_(request), redact_(redact) {}
    const Result<prompt::Messages>& of(const config::Provider& provider);
    // Of all texts as rendered for this provider.
    uint64_t bytes(const config::Provider& provider);

private:
    const GenerateRequest& request_;
    const bool redact_;
    prompt::Audience audience_;  // of the messages
    std::optional<Result<prompt::Messages>> messages_;
};

// {"model","messages","stream","max_tokens"?,"temperature"?,"response_format"?}
std::string chatRequestJson(const GenerateRequest& request, const config::Provider& provider,
                            const prompt::Messages& messages, bool stream);

}  // namespace stepper::engine
