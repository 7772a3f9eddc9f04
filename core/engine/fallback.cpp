#include "core/engine/fallback.h"

#include "core/prompt/fallback.h"

namespace stepper::engine {

json::Document fallbackFor(const GenerateRequest& request, bool redact) {
    if (const auto* commit = std::get_if<prompt::CommitInput>(&request.subject))
        return prompt::fallbackCommitReport(*commit, redact ? prompt::Redaction::On : prompt::Redaction::Off);
    if (request.mode != output::Mode::Text) return prompt::fallbackJson();
    json::Document out;
    const auto text = prompt::fallbackText();
    out.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), out.GetAllocator());
    return out;
}

}  // namespace stepper::engine
