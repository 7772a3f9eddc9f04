#include "core/prompt/messages.h"

#include <utility>

namespace stepper::prompt {

void askForJson(Messages& messages, std::string_view schema) {
    std::string demand =
        "Answer with exactly one JSON value and nothing else: no prose before or after it, no code fences, "
        "no comments.";
    if (!schema.empty()) {
        demand += "\nThe value must satisfy this JSON schema:\n";
        demand += schema;
    }
    if (!messages.empty() && messages.front().role == "system")
        messages.front().content.append("\n\n").append(demand);
    else
        messages.insert(messages.begin(), {"system", std::move(demand)});
}

}  // namespace stepper::prompt
