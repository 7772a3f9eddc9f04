#include "core/engine/outcome_json.h"

#include "core/base/text.h"

namespace stepper::engine {
namespace {

// Enough for a sentence of a provider's; more is noise in a client's log.
constexpr size_t kMaxErrorText = 500;

void putAttempt(json::Writer& w, const AttemptRecord& r) {
    w.StartObject();
    json::put(w, "provider", r.provider);
    json::putInt(w, "attemptNumber", r.number);
    if (!r.skipped.empty()) json::put(w, "skipped", r.skipped);
    if (r.error) {
        json::put(w, "error", utf8Prefix(r.error->message, kMaxErrorText));
        json::put(w, "errorCode", r.error_code);
    } else if (r.skipped.empty()) {
        json::putInt(w, "durationMs", r.duration.value_or(milliseconds{0}).count());
    }
    if (r.retry_after) json::putInt(w, "retryAfterSeconds", wholeSeconds(*r.retry_after));
    w.EndObject();
}

void putUsage(json::Writer& w, const plugin::Tokens& usage) {
    w.Key("usage");
    w.StartObject();
    const std::pair<std::string_view, std::optional<int64_t>> counts[] = {
        {"promptTokens", usage.prompt}, {"completionTokens", usage.completion},
        {"totalTokens", usage.total},   {"reasoningTokens", usage.reasoning},
        {"cachedTokens", usage.cached},
    };
    for (const auto& [name, count] : counts)
        if (count) json::putInt(w, name, *count);
    w.EndObject();
}

}  // namespace

int64_t wholeSeconds(milliseconds d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

void putAttempts(json::Writer& w, const std::vector<AttemptRecord>& attempts) {
    w.Key("providersAttempted");
    w.StartArray();
    for (const auto& record : attempts) putAttempt(w, record);
    w.EndArray();
}

void putTimings(json::Writer& w, const Outcome& outcome) {
    w.Key("timings");
    w.StartObject();
    json::putInt(w, "totalMs", outcome.total.count());
    if (outcome.provider_time) json::putInt(w, "providerMs", outcome.provider_time->count());
    w.EndObject();
}

void putEnding(json::Writer& w, const Outcome& outcome) {
    if (!outcome.finish.empty()) json::put(w, "finishReason", outcome.finish);
    if (!outcome.model.empty()) json::put(w, "model", outcome.model);
    if (outcome.usage.any()) putUsage(w, outcome.usage);
    if (outcome.cost) {
        w.Key("cost");
        w.Double(*outcome.cost);
    }
    if (outcome.truncated) json::putBool(w, "truncated", true);
    if (outcome.repaired) json::putBool(w, "repaired", true);
}

void putWarnings(json::Writer& w, const std::vector<std::string>& warnings) {
    if (warnings.empty()) return;
    w.Key("warnings");
    w.StartArray();
    for (const auto& warning : warnings)
        w.String(warning.data(), static_cast<rapidjson::SizeType>(warning.size()));
    w.EndArray();
}

std::string answerMeta(const Outcome& outcome) {
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "provider", outcome.provider);
    json::putBool(w, "fallback", outcome.fallback);
    json::putBool(w, "validated", outcome.validated);
    putTimings(w, outcome);
    putAttempts(w, outcome.attempts);
    putEnding(w, outcome);
    putWarnings(w, outcome.warnings);
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

std::string failureMeta(const Failure& failure, const std::vector<AttemptRecord>& attempts) {
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "errorCode", failure.code);
    json::put(w, "message", failure.message);
    json::putBool(w, "retryable", failure.retryable);
    if (failure.retry_after) json::putInt(w, "retryAfterSeconds", wholeSeconds(*failure.retry_after));
    putAttempts(w, attempts);
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace stepper::engine
