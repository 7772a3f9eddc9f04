// The chat messages a provider is sent, and how a rendered generic prompt becomes them. Pure, any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stepper::prompt {

struct Message {
    std::string role;  // "system" or "user"
    std::string content;
};

using Messages = std::vector<Message>;

// Text mode: the prompt as the one user message. JSON mode: a system message before it that asks for exactly
// one JSON value, matching `schema` (JSON text, "" when there is none). That message always holds the word
// JSON, without which OpenAI refuses a JSON response format.
Messages genericMessages(std::string rendered, bool json_mode, std::string_view schema);

}  // namespace stepper::prompt
