#include "core/engine/chat_request.h"

namespace stepper::engine {
namespace {

prompt::Audience audienceOf(const GenerateRequest& request, const config::Provider& provider) {
    return {provider.prompt_variant, provider.plugin, modelFor(request, provider), provider.system};
}

// Without a schema no format is asked for: a provider's "JSON object" mode would rule out arrays and scalars.
void putResponseFormat(json::Writer& w, const prompt::AnswerFormat& format) {
    if (format.schema.empty()) return;
    w.Key("response_format");
    w.StartObject();
    json::put(w, "type", "json_schema");
    w.Key("json_schema");
    w.StartObject();
    json::put(w, "name", format.name);
    w.Key("schema");
    w.RawValue(format.schema.data(), format.schema.size(), rapidjson::kObjectType);
    w.EndObject();
    w.EndObject();
}

}  // namespace

const std::string& modelFor(const GenerateRequest& request, const config::Provider& provider) {
    return request.model.empty() ? provider.model : request.model;
}

Result<prompt::Messages> messagesFor(const GenerateRequest& request, const config::Provider& provider,
                                     bool redact) {
    return request.question->messages(audienceOf(request, provider), prompt::redactionIf(redact));
}

const Result<prompt::Messages>& Rendering::of(const config::Provider& provider) {
    const auto audience = audienceOf(request_, provider);
    if (!messages_ || !request_.question->sameWords(audience, audience_))
        messages_ = messagesFor(request_, provider, redact_);
    audience_ = audience;
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
    putResponseFormat(w, request.question->format());
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace stepper::engine
