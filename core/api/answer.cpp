#include "core/api/answer.h"

#include "core/api/generate_request.h"
#include "core/api/json_answer.h"
#include "core/engine/outcome_json.h"
#include "core/engine/outcome_story.h"

namespace stepper::api {
namespace {

http::Response completed(const engine::Outcome& outcome, RequestKind kind,
                         const std::vector<std::string>& on_request) {
    auto response = jsonAnswer(200, [&](json::Writer& w) {
        json::put(w, "status", "completed");
        json::putRaw(w, "data", outcome.result);
        w.Key("metadata");
        w.StartObject();
        json::put(w, "provider", outcome.provider);
        json::putBool(w, "fallback", outcome.fallback);
        if (kind != RequestKind::Report) {
            json::putBool(w, "validated", outcome.validated);
            json::put(w, "contractVersion", kContractVersion);
        }
        engine::putTimings(w, outcome);
        engine::putAttempts(w, outcome.attempts);
        engine::putEnding(w, outcome);
        auto warnings = on_request;
        warnings.insert(warnings.end(), outcome.warnings.begin(), outcome.warnings.end());
        engine::putWarnings(w, warnings);
        w.EndObject();
    });
    if (outcome.fallback) {
        response.headers.emplace_back(kFallbackHeader, "true");
        response.story = "fallback: " + engine::storyOf(outcome.attempts);
    }
    return response;
}

}  // namespace

http::Response immediateAnswer(const engine::Outcome& outcome, RequestKind kind, std::string_view request_id,
                               const std::vector<std::string>& warnings) {
    if (!outcome.failure) return completed(outcome, kind, warnings);
    const engine::Failure& f = *outcome.failure;
    auto response = jsonAnswer(f.http_status, [&](json::Writer& w) {
        json::put(w, "error", f.message);
        json::put(w, "errorCode", f.code);
        json::putBool(w, "retryable", f.retryable);
        if (f.retry_after) json::putInt(w, "retryAfterSeconds", engine::wholeSeconds(*f.retry_after));
        engine::putAttempts(w, outcome.attempts);
        engine::putWarnings(w, warnings);
        json::put(w, "requestId", request_id);
    });
    response.story = std::string(f.code) + ": " + engine::storyOf(outcome.attempts);
    if (f.retry_after)
        response.headers.emplace_back("Retry-After", std::to_string(engine::wholeSeconds(*f.retry_after)));
    return response;
}

http::Response storeUnavailable(const Error& error, std::string_view request_id) {
    const milliseconds pause = error.retry_after.value_or(milliseconds{1'000});
    auto response = http::Response::unavailable("STORE_UNAVAILABLE", error.message, request_id,
                                                std::chrono::seconds(engine::wholeSeconds(pause)));
    response.story = "STORE_UNAVAILABLE: " + error.message;
    return response;
}

}  // namespace stepper::api
