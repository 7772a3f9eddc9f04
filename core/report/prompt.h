// The messages that ask a model for the report. Pure, any thread.
#pragma once
#include <string_view>

#include "core/prompt/messages.h"
#include "core/report/commit.h"

namespace stepper::report {

enum class Variant { Detailed, Short, Gemini };

// Gemini for the plugin of that kind, Short for models whose name tells that they are small or fast.
Variant variantFor(std::string_view plugin_kind, std::string_view model);

// A system and a user message of at most maxPromptBytes(variant) together.
prompt::Messages render(const Commit& commit, Variant variant, prompt::Redaction redaction);
size_t maxPromptBytes(Variant variant);

}  // namespace stepper::report
