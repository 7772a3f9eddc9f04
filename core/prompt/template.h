// Renders the `prompt` of a generate request to the text a model is asked. Pure, any thread.
//
// A string is the prompt as it stands. An object {template?, instructions?, variables?, payload?} renders to
//   instructions and template   instructions, a blank line, the template
//   instructions alone          instructions, a blank line, a heading line, the payload as pretty JSON
//   neither                     the payload: a string as it is, anything else as JSON
// A template names values as {{ payload.a.0.b }}, {{ variables.x }} and {{ metadata.y }}: strings as they
// are, other values as compact JSON, nothing where the path leads nowhere. What a placeholder brought in is
// never rendered again, so a value holding "{{" stays a value.
#pragma once
#include <cstddef>
#include <string>

#include "core/base/json.h"
#include "core/base/json_finder.h"
#include "core/base/result.h"
#include "core/prompt/bounded.h"
#include "core/prompt/redact.h"

namespace stepper::prompt {

inline constexpr size_t kMaxPromptBytes = size_t{4} << 20;

// What the request holds; nullptr for a member it lacks. A payload inside the prompt object wins over
// `payload`.
struct PromptInput {
    const json::Value* prompt = nullptr;
    const json::Value* payload = nullptr;
    const json::Value* metadata = nullptr;
};

// The values that one request's placeholders name, in whichever of its texts they stand. Borrows what `input`
// points to; used by one thread.
class Placeholders {
public:
    explicit Placeholders(const PromptInput& input);
    // Adds `source` with its placeholders replaced.
    void fillIn(std::string_view source, Bounded& out);

private:
    const json::Value* root(std::string_view name) const;
    const json::Value* resolve(std::string_view path);

    const json::Value* payload_;
    const json::Value* variables_;
    const json::Value* metadata_;
    json::Finder finder_;
};

// The prompt's type alone, for refusing a request before it is queued. InvalidRequest, in the contract's
// words.
Result<void> checkPrompt(const json::Value* prompt);

// InvalidRequest when the prompt is of a wrong type, renders to nothing but white space or to more than
// `max_bytes`.
Result<std::string> renderPrompt(const PromptInput& input, Redaction redaction,
                                 size_t max_bytes = kMaxPromptBytes);

}  // namespace stepper::prompt
