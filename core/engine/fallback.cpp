#include "core/engine/fallback.h"

#include "core/prompt/fallback.h"
#include "core/report/fallback.h"

namespace stepper::engine {

json::Document fallbackFor(const GenerateRequest& request, bool redact) {
    if (const auto* commit = std::get_if<report::Commit>(&request.subject))
        return report::fallback(*commit, redact ? prompt::Redaction::On : prompt::Redaction::Off);
    if (request.mode != output::Mode::Text) return prompt::fallbackJson();
    json::Document out;
    const auto text = prompt::fallbackText();
    out.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), out.GetAllocator());
    return out;
}

}  // namespace stepper::engine
