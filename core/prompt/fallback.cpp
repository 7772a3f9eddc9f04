#include "core/prompt/fallback.h"

namespace stepper::prompt {

json::Document fallbackJson() {
    json::Document out(rapidjson::kObjectType);
    auto& a = out.GetAllocator();
    json::set(out, "error", "GENERATION_FAILED", a);
    json::set(out, "message", fallbackText(), a);
    json::set(out, "retryable", json::Value(true), a);
    return out;
}

std::string_view fallbackText() {
    return "Generation could not be completed because all configured providers failed.";
}

}  // namespace stepper::prompt
