#include "core/api/answer.h"

#include "core/api/generate_request.h"
#include "core/base/text.h"

namespace stepper::api {
namespace {

// Enough for a sentence of a provider's; more is noise in a client's log.
constexpr size_t kMaxErrorText = 500;

int64_t wholeSeconds(milliseconds d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

void putAttempt(json::Writer& w, const engine::AttemptRecord& r) {
    w.StartObject();
    json::put(w, "provider", r.provider);
    json::putInt(w, "attemptNumber", r.number);
    if (!r.skipped.empty()) {
        json::put(w, "skipped", r.skipped);
    } else if (r.error) {
        json::put(w, "error", utf8Prefix(r.error->message, kMaxErrorText));
        json::put(w, "errorCode", r.error_code);
    } else {
        json::putInt(w, "durationMs", r.duration.value_or(milliseconds{0}).count());
    }
    if (r.retry_after) json::putInt(w, "retryAfterSeconds", wholeSeconds(*r.retry_after));
    w.EndObject();
}

void putAttempts(json::Writer& w, const engine::Outcome& outcome) {
    w.Key("providersAttempted");
    w.StartArray();
    for (const auto& record : outcome.attempts) putAttempt(w, record);
    w.EndArray();
}

http::Response completed(const engine::Outcome& outcome, bool report) {
    rapidjson::StringBuffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "status", "completed");
    w.Key("data");
    outcome.result.Accept(w);
    w.Key("metadata");
    w.StartObject();
    json::put(w, "provider", outcome.provider);
    json::putBool(w, "fallback", outcome.fallback);
    if (!report) {
        json::putBool(w, "validated", outcome.validated);
        json::put(w, "contractVersion", kContractVersion);
    }
    w.Key("timings");
    w.StartObject();
    json::putInt(w, "totalMs", outcome.total.count());
    if (outcome.provider_time) json::putInt(w, "providerMs", outcome.provider_time->count());
    w.EndObject();
    putAttempts(w, outcome);
    w.EndObject();
    w.EndObject();
    return http::Response::json(200, {buffer.GetString(), buffer.GetSize()});
}

}  // namespace

http::Response immediateAnswer(const engine::Outcome& outcome, bool report, std::string_view request_id) {
    if (!outcome.failure) return completed(outcome, report);
    const engine::Failure& f = *outcome.failure;
    rapidjson::StringBuffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "error", f.message);
    json::put(w, "errorCode", f.code);
    json::putBool(w, "retryable", f.retryable);
    if (f.retry_after) json::putInt(w, "retryAfterSeconds", wholeSeconds(*f.retry_after));
    putAttempts(w, outcome);
    json::put(w, "requestId", request_id);
    w.EndObject();
    auto response = http::Response::json(f.http_status, {buffer.GetString(), buffer.GetSize()});
    if (f.retry_after)
        response.headers.emplace_back("Retry-After", std::to_string(wholeSeconds(*f.retry_after)));
    return response;
}

}  // namespace stepper::api
