#include "core/prompt/fallback.h"

namespace stepper::prompt {

namespace {

constexpr std::string_view kFailed =
    "Generation could not be completed because all configured providers failed.";
constexpr std::string_view kFailedText =
    "Generation could not be completed because all configured providers failed. Retry later.";

}  // namespace

json::Document fallbackJson() {
    json::Document out(rapidjson::kObjectType);
    auto& a = out.GetAllocator();
    json::set(out, "error", "GENERATION_FAILED", a);
    json::set(out, "message", kFailed, a);
    json::set(out, "retryable", json::Value(true), a);
    return out;
}

std::string_view fallbackText() { return kFailedText; }

}  // namespace stepper::prompt
