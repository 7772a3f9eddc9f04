#include "core/engine/chat_request.h"

#include "core/prompt/conversation.h"
#include "core/report/answer.h"

namespace stepper::engine {
namespace {

report::Variant variantOf(const GenerateRequest& request, const config::Provider& provider) {
    switch (provider.prompt_variant) {
        case config::PromptVariant::Detailed: return report::Variant::Detailed;
        case config::PromptVariant::Short: return report::Variant::Short;
        case config::PromptVariant::Gemini: return report::Variant::Gemini;
        case config::PromptVariant::Auto: break;
    }
    return report::variantFor(provider.plugin, modelFor(request, provider));
}

// The schema the answer must match, as JSON text; "" when any JSON value will do.
std::string_view schemaText(const GenerateRequest& request) {
    if (request.mode == output::Mode::CommitReport) return report::jsonSchema();
    return request.schema ? std::string_view(request.schema->jsonSchema()) : std::string_view{};
}

// Without a schema no format is asked for: a provider's "JSON object" mode would rule out arrays and scalars.
void putResponseFormat(json::Writer& w, std::string_view schema, std::string_view schema_name) {
    if (schema.empty()) return;
    w.Key("response_format");
    w.StartObject();
    json::put(w, "type", "json_schema");
    w.Key("json_schema");
    w.StartObject();
    json::put(w, "name", schema_name);
    w.Key("schema");
    w.RawValue(schema.data(), schema.size(), rapidjson::kObjectType);
    w.EndObject();
    w.EndObject();
}

}  // namespace

const std::string& modelFor(const GenerateRequest& request, const config::Provider& provider) {
    return request.model.empty() ? provider.model : request.model;
}

Result<prompt::Messages> messagesFor(const GenerateRequest& request, const config::Provider& provider,
                                     bool redact) {
    const auto redaction = redact ? prompt::Redaction::On : prompt::Redaction::Off;
    if (const auto* commit = std::get_if<report::Commit>(&request.subject))
        return report::render(*commit, variantOf(request, provider), redaction);
    const auto input = prompt::conversationIn(*std::get<GenericPrompt>(request.subject).body);
    auto messages = prompt::renderConversation(input, redaction);
    if (!messages) return messages;
    if (!provider.system.empty() && !input.hasSystem())
        messages->insert(messages->begin(), {"system", provider.system});
    if (request.mode != output::Mode::Text) prompt::askForJson(*messages, schemaText(request));
    return messages;
}

const Result<prompt::Messages>& Rendering::of(const config::Provider& provider) {
    const auto variant = variantOf(request_, provider);
    const bool is_report = std::holds_alternative<report::Commit>(request_.subject);
    const bool differs = is_report ? variant != variant_ : provider.system != system_;
    if (!messages_ || differs) messages_ = messagesFor(request_, provider, redact_);
    variant_ = variant;
    system_ = provider.system;
    return *messages_;
}

uint64_t Rendering::bytes(const config::Provider& provider) {
    const auto& messages = of(provider);
    uint64_t sum = 0;
    if (messages)
        for (const auto& message : *messages) sum += message.content.size();
    return sum;
}

std::string chatRequestJson(const GenerateRequest& request, const config::Provider& provider,
                            const prompt::Messages& messages, bool stream) {
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    json::put(w, "model", modelFor(request, provider));
    w.Key("messages");
    w.StartArray();
    for (const auto& message : messages) {
        w.StartObject();
        json::put(w, "role", message.role);
        json::put(w, "content", message.content);
        w.EndObject();
    }
    w.EndArray();
    json::putBool(w, "stream", stream);
    if (const auto tokens = request.max_output_tokens ? request.max_output_tokens : provider.max_tokens)
        json::putInt(w, "max_tokens", *tokens);
    if (const auto temperature = request.temperature ? request.temperature : provider.temperature) {
        w.Key("temperature");
        w.Double(*temperature);
    }
    putResponseFormat(w, schemaText(request),
                      request.mode == output::Mode::CommitReport ? "commit_report" : "answer");
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace stepper::engine
