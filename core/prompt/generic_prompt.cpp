#include "core/prompt/generic_prompt.h"

#include "core/prompt/conversation.h"

namespace stepper::prompt {
namespace {

constexpr std::string_view kFailed =
    "Generation could not be completed because all configured providers failed.";
constexpr std::string_view kFailedText =
    "Generation could not be completed because all configured providers failed. Retry later.";

json::Value words(const std::vector<std::string>& list, json::Allocator& a) {
    json::Value out(rapidjson::kArrayType);
    for (const auto& word : list) out.PushBack(json::text(word, a), a);
    return out;
}

std::string_view word(config::Plan plan) {
    switch (plan) {
        case config::Plan::Manual: break;
        case config::Plan::FastestFirst: return "fastest-first";
        case config::Plan::CheapestFirst: return "cheapest-first";
    }
    return "manual";
}

void copyMember(json::Document& to, const json::Value& from, std::string_view key) {
    if (const auto* v = json::find(from, key); v && !v->IsNull())
        json::set(to, key, json::Value(*v, to.GetAllocator()), to.GetAllocator());
}

// Metadata often carries what differs with every request, so it counts only where a template can show it.
bool showsMetadata(const json::Value& body) {
    constexpr std::string_view kMetadata = "metadata";
    const auto* prompt = json::find(body, "prompt");
    const auto wording = prompt ? json::string(*prompt, "template") : std::nullopt;
    if (wording && wording->find(kMetadata) != std::string_view::npos) return true;
    const auto conversation = conversationIn(body);
    return conversation.hasPlaces() && holds(conversation, kMetadata);
}

}  // namespace

Result<Messages> GenericPrompt::messages(const Audience& to, Redaction redaction) const {
    const auto input = conversationIn(*body_);
    auto out = renderConversation(input, redaction);
    if (!out) return out;
    if (!to.system.empty() && !input.hasSystem())
        out->insert(out->begin(), {"system", std::string(to.system)});
    if (!isText()) askForJson(*out, format().schema);
    return out;
}

AnswerFormat GenericPrompt::format() const {
    return {"answer", schema_ ? std::string_view(schema_->jsonSchema()) : std::string_view{}};
}

Result<output::Processed> GenericPrompt::accept(std::string_view text, std::string_view finish,
                                                const Interrupt& interrupt) const {
    return output::process(text, mode_, schema_.get(), finish, interrupt);
}

json::Document GenericPrompt::fallback(Redaction) const {
    json::Document out(rapidjson::kObjectType);
    auto& a = out.GetAllocator();
    if (isText()) {
        out.SetString(kFailedText.data(), static_cast<rapidjson::SizeType>(kFailedText.size()), a);
        return out;
    }
    json::set(out, "error", "GENERATION_FAILED", a);
    json::set(out, "message", kFailed, a);
    json::set(out, "retryable", json::Value(true), a);
    return out;
}

json::Document GenericPrompt::identity(const Wishes& wishes, Redaction redaction) const {
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "kind", "generate", a);
    json::set(d, "mode", responseMode(), a);
    for (const auto* key : {"prompt", "messages", "system", "payload", "outputSchema"})
        copyMember(d, *body_, key);
    if (showsMetadata(*body_)) copyMember(d, *body_, "metadata");
    json::set(d, "preferred", words(wishes.preferred, a), a);
    json::set(d, "excluded", words(wishes.excluded, a), a);
    if (wishes.plan) json::set(d, "plan", word(*wishes.plan), a);
    if (wishes.max_output_tokens) json::set(d, "maxOutputTokens", json::Value(*wishes.max_output_tokens), a);
    addWishes(d, wishes);
    json::set(d, "redact", json::Value(redaction == Redaction::On), a);
    return d;
}

}  // namespace stepper::prompt
