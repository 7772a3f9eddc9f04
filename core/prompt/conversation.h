// What a generic request asks: its `prompt` or its `messages`, and its `system` text. Pure, any thread.
//
// `messages` is an array of {"role": "system" | "user" | "assistant", "content": text}. Beside a prompt
// object the system text may hold that prompt's placeholders; beside `messages` it and they may where the
// request has a `payload`, whose only use that is. Everywhere else braces are text.
#pragma once
#include "core/prompt/messages.h"
#include "core/prompt/template.h"

namespace stepper::prompt {

inline constexpr size_t kMostMessages = 1'000;

// What the request holds; nullptr for a member it lacks.
struct ConversationInput {
    PromptInput prompt;
    const json::Value* system = nullptr;
    const json::Value* messages = nullptr;

    // Whether the request says what the system is, if only by an empty text.
    bool hasSystem() const;
    // Whether the system text and the messages may hold placeholders.
    bool hasPlaces() const;
};

// The members of a request's body.
ConversationInput conversationIn(const json::Value& body);

// Types, roles and numbers alone. InvalidRequest, in the contract's words where it has any.
Result<void> checkConversation(const ConversationInput& input);

// The system texts that come first are one message; a system text that is blank is none. InvalidRequest as of
// checkConversation() and renderPrompt(), when a message renders to nothing but white space, and when all
// texts together have more than kMaxPromptBytes.
Result<Messages> renderConversation(const ConversationInput& input, Redaction redaction);

// Whether the system text or a message holds `words`.
bool holds(const ConversationInput& input, std::string_view words);

}  // namespace stepper::prompt
