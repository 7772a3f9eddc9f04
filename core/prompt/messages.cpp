#include "core/prompt/messages.h"

#include <utility>

namespace stepper::prompt {

Messages genericMessages(std::string rendered, bool json_mode, std::string_view schema) {
    if (!json_mode) return {{"user", std::move(rendered)}};
    std::string system =
        "Answer with exactly one JSON value and nothing else: no prose before or after it, no code fences, "
        "no comments.";
    if (!schema.empty()) {
        system += "\nThe value must satisfy this JSON schema:\n";
        system += schema;
    }
    return {{"system", std::move(system)}, {"user", std::move(rendered)}};
}

}  // namespace stepper::prompt
