// The chat messages a provider is sent, and how they ask for JSON. Pure, any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stepper::prompt {

struct Message {
    std::string role;  // "system", "user" or "assistant"
    std::string content;
};

using Messages = std::vector<Message>;

// Ends the first system message, which is put before the others when they begin otherwise, with the demand
// for exactly one JSON value, matching `schema` (JSON text, "" when there is none). It always holds the word
// JSON, without which OpenAI refuses a JSON response format.
void askForJson(Messages& messages, std::string_view schema);

}  // namespace stepper::prompt
