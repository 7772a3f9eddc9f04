// OpenAI Chat Completions, and the quirks of the providers that speak it.
#include <fmt/format.h>

#include "tools/provider-sim/formats/common.h"
#include "tools/provider-sim/formats/openai_errors.h"

namespace stepper::sim {
namespace {

constexpr Word kMistralFinish[] = {{"length", "model_length"}};
constexpr Word kTogetherFinish[] = {{"stop", "eos"}};

std::string_view finishOf(const Ask& ask, const Answer& answer) {
    if (ask.options.flavor == Flavor::Mistral) return translate(answer.finish, kMistralFinish);
    if (ask.options.flavor == Flavor::Together) return translate(answer.finish, kTogetherFinish);
    return answer.finish;
}

bool namesReasoningContent(Flavor f) {
    return f == Flavor::DeepSeek || f == Flavor::Nvidia || f == Flavor::Xai || f == Flavor::LlamaCpp ||
           f == Flavor::OpenAi;
}

J usageOf(const Ask& ask, const Answer& answer) {
    if (!answer.usage) return J::absent();
    const auto& u = *answer.usage;
    const auto flavor = ask.options.flavor;
    // Only xAI leaves the reasoning tokens out of the completion tokens.
    const auto completion = flavor == Flavor::Xai ? u.completion : u.completion + u.reasoning;
    return obj({{"prompt_tokens", u.prompt},
                {"completion_tokens", completion},
                {"total_tokens", u.total()},
                {"prompt_cache_hit_tokens", flavor == Flavor::DeepSeek ? J(0) : J::absent()},
                {"prompt_cache_miss_tokens", flavor == Flavor::DeepSeek ? J(u.prompt) : J::absent()},
                {"completion_tokens_details",
                 u.reasoning ? obj({{"reasoning_tokens", u.reasoning}}) : J::absent()}});
}

// The text as the flavour puts it in a message: Perplexity thinks aloud, Mistral sends parts.
J contentOf(const Ask& ask, const Answer& answer) {
    if (!answer.text) return nullptr;
    if (answer.reasoning.empty()) return *answer.text;
    if (ask.options.flavor == Flavor::Perplexity)
        return "<think>" + answer.reasoning + "</think>" + *answer.text;
    if (ask.options.flavor == Flavor::Mistral)
        return arr({obj({{"type", "thinking"},
                         {"thinking", arr({obj({{"type", "text"}, {"text", answer.reasoning}})})}}),
                    obj({{"type", "text"}, {"text", *answer.text}})});
    return *answer.text;
}

bool reasonsInContent(Flavor f) { return f == Flavor::Perplexity || f == Flavor::Mistral; }

std::string_view reasoningField(Flavor f) {
    return namesReasoningContent(f) ? "reasoning_content" : "reasoning";
}

// What a chunk or a reply says beside its choices.
struct Extras {
    J usage = J::absent();
    J x_groq = J::absent();
};

std::string chunk(const Ask& ask, const J& choices, const Extras& extras) {
    return sse(obj({{"id", idOf("chatcmpl-", ask)},
                    {"object", "chat.completion.chunk"},
                    {"created", ask.created},
                    {"model", ask.model},
                    {"provider", ask.options.flavor == Flavor::OpenRouter ? J("SimCloud") : J::absent()},
                    {"choices", choices},
                    {"usage", extras.usage},
                    {"x_groq", extras.x_groq}}));
}

J choice(const J& delta, const J& finish) {
    return arr({obj({{"index", 0}, {"delta", delta}, {"logprobs", nullptr}, {"finish_reason", finish}})});
}

std::string keepAlive(Flavor f) {
    if (f == Flavor::DeepSeek) return ": keep-alive\n\n";
    if (f == Flavor::OpenRouter) return ": OPENROUTER PROCESSING\n\n";
    return {};
}

// Who sends usage on the finish chunk without being asked.
bool volunteersUsage(Flavor f) {
    return f == Flavor::Mistral || f == Flavor::Together || f == Flavor::Perplexity || f == Flavor::DeepSeek;
}

class OpenAi final : public Format {
public:
    std::string_view name() const override { return "openai"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        if (call.method == "GET") {
            ask.kind = Ask::Kind::Info;
            return {};
        }
        auto parsed = parseBody(call);
        if (!parsed) return std::move(parsed).error();
        const auto& body = *parsed;
        ask.model = json::string(body, "model").value_or("");
        ask.stream = json::boolean(body, "stream").value_or(false);
        if (const auto* options = json::find(body, "stream_options"))
            ask.include_usage = json::boolean(*options, "include_usage").value_or(false);
        const auto* messages = json::find(body, "messages");
        if (!messages || !messages->IsArray() || messages->Empty())
            return Error{ErrorClass::InvalidRequest, "'messages' must be a non-empty array"};
        appendText(*messages, ask.prompt);
        return refuseFields(body, ask);
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        if (ask.kind == Ask::Kind::Info) return models();
        return ask.stream ? streamed(ask, a) : whole(ask, a);
    }

    Reply failure(const Ask& ask, const Failure& f) const override { return openAiError(ask, f); }

    std::string streamError(const Ask& ask, const Failure& f) const override {
        const auto error = openAiStreamError(ask, f);
        if (ask.options.flavor == Flavor::OpenRouter)
            return sse(obj({{"id", idOf("gen-", ask)},
                            {"object", "chat.completion.chunk"},
                            {"created", ask.created},
                            {"model", ask.model},
                            {"choices", choice(obj({{"content", ""}}), "error")},
                            {"error", error}}));
        if (ask.options.flavor == Flavor::LmStudio) return sse(obj({{"error", error}}), "error");
        if (ask.options.flavor == Flavor::Cerebras)
            return sse(obj({{"error", error}, {"status_code", openAiStatus(Flavor::Cerebras, f)}}));
        return sse(obj({{"error", error}}));
    }

    Headers rateLimits(const Ask& ask, const Allowances& allowances, WallTime now) const override {
        const auto flavor = ask.options.flavor;
        if (flavor == Flavor::DeepSeek) return {};
        Headers out;
        const auto add = [&](const std::optional<Allowance>& a, std::string_view what) {
            if (!a) return;
            const auto say = [&](std::string_view part, std::string value) {
                out.emplace_back(fmt::format("x-ratelimit-{}{}", part, what), std::move(value));
            };
            say("limit", std::to_string(a->limit));
            say("remaining", std::to_string(a->remaining));
            if (flavor == Flavor::OpenRouter)
                say("reset",
                    std::to_string(
                        std::chrono::ceil<milliseconds>((now + a->reset).time_since_epoch()).count()));
            else if (flavor == Flavor::Cerebras)
                say("reset", fmt::format("{:.3f}", static_cast<double>(a->reset.count()) / 1000));
            else
                say("reset", goDuration(a->reset));
        };
        const bool cerebras = flavor == Flavor::Cerebras;
        if (flavor == Flavor::OpenRouter) {
            add(allowances.requests, "");
            return out;
        }
        add(allowances.requests, cerebras ? "-requests-day" : "-requests");
        add(allowances.tokens, cerebras ? "-tokens-minute" : "-tokens");
        return out;
    }

private:
    static Result<void> refuseFields(const json::Value& body, const Ask& ask) {
        const auto flavor = ask.options.flavor;
        if (flavor == Flavor::Mistral)
            for (const auto* field : {"stream_options", "user", "seed"})
                if (json::find(body, field))
                    return Error{.error_class = ErrorClass::InvalidRequest,
                                 .message = fmt::format("Extra inputs are not permitted: {}", field),
                                 .http_status = 422};
        const bool reasons =
            ask.model.starts_with("gpt-5") || ask.model.starts_with("gpt-6") || ask.model.starts_with("o3");
        if (flavor == Flavor::OpenAi && reasons && json::find(body, "max_tokens"))
            return Error{ErrorClass::InvalidRequest,
                         "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                         "'max_completion_tokens' instead."};
        return {};
    }

    static Reply models() {
        return {.body = obj({{"object", "list"},
                             {"data",
                              arr({obj({{"id", "sim-model"}, {"object", "model"}, {"owned_by", "sim"}})})}})
                            .str()};
    }

    static Reply whole(const Ask& ask, const Answer& a) {
        const auto flavor = ask.options.flavor;
        const bool separate = !a.reasoning.empty() && !reasonsInContent(flavor);
        const J reasoning = separate ? J(a.reasoning) : J::absent();
        Reply reply;
        reply.body =
            obj({{"id", idOf("chatcmpl-", ask)},
                 {"object", "chat.completion"},
                 {"created", ask.created},
                 {"model", ask.model},
                 {"provider", flavor == Flavor::OpenRouter ? J("SimCloud") : J::absent()},
                 {"choices",
                  arr({obj({{"index", 0},
                            {"message", obj({{"role", "assistant"},
                                             {"content", a.refusal.empty() ? contentOf(ask, a) : J(nullptr)},
                                             {reasoningField(flavor), reasoning},
                                             {"refusal", a.refusal.empty() ? J(nullptr) : J(a.refusal)}})},
                            {"logprobs", nullptr},
                            {"finish_reason", finishOf(ask, a)}})})},
                 {"usage", usageOf(ask, a)},
                 {"x_groq", flavor == Flavor::Groq ? obj({{"id", idOf("req_", ask)}}) : J::absent()},
                 {"system_fingerprint", flavor == Flavor::Ollama ? J("fp_ollama") : J("fp_sim")}})
                .str();
        // Both hold a waiting connection open with white space before the JSON.
        if (flavor == Flavor::DeepSeek) reply.body.insert(0, "\n\n\n");
        if (flavor == Flavor::OpenRouter) reply.body.insert(0, "         \n");
        reply.headers = {{"x-request-id", idOf("req_", ask)}};
        return reply;
    }

    static Reply streamed(const Ask& ask, const Answer& a) {
        const auto flavor = ask.options.flavor;
        const bool groq = flavor == Flavor::Groq;
        Reply reply{.content_type = "text/event-stream"};
        reply.headers = {{"x-request-id", idOf("req_", ask)}};
        const Extras middle{.usage = ask.include_usage && !groq ? J(nullptr) : J::absent()};
        const auto say = [&](const J& delta) {
            reply.events.push_back(chunk(ask, choice(delta, nullptr), middle));
        };

        Extras first = middle;
        if (groq) first.x_groq = obj({{"id", idOf("req_", ask)}});
        reply.events.push_back(
            keepAlive(flavor) +
            chunk(ask, choice(obj({{"role", "assistant"}, {"content", ""}}), nullptr), first));
        std::string text = a.refusal.empty() ? a.text.value_or("") : std::string();
        if (reasonsInContent(flavor) && !a.reasoning.empty())
            text = "<think>" + a.reasoning + "</think>" + text;
        else
            for (const auto piece : pieces(a.reasoning, ask.options.chunk_bytes))
                say(obj({{reasoningField(flavor), piece}}));
        for (const auto piece : pieces(a.refusal, ask.options.chunk_bytes)) say(obj({{"refusal", piece}}));
        for (const auto piece : pieces(text, ask.options.chunk_bytes)) say(obj({{"content", piece}}));

        Extras last = middle;
        if (volunteersUsage(flavor)) last.usage = usageOf(ask, a);
        if (groq) last.x_groq = obj({{"id", idOf("req_", ask)}, {"usage", usageOf(ask, a)}});
        reply.events.push_back(chunk(ask, choice(obj({}), finishOf(ask, a)), last));
        if ((ask.include_usage || flavor == Flavor::OpenRouter) && a.usage && !groq &&
            !volunteersUsage(flavor))
            reply.events.push_back(chunk(ask, arr({}), {.usage = usageOf(ask, a)}));
        if (flavor != Flavor::Perplexity) reply.done = "data: [DONE]\n\n";
        return reply;
    }
};

}  // namespace

const Format& openAiFormat() {
    static const OpenAi format;
    return format;
}

}  // namespace stepper::sim
