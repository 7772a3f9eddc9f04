// Cohere chat: v2 with server-sent events, and v1 with newline-delimited JSON.
#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

constexpr Word kFinish[] = {{"stop", "COMPLETE"},
                            {"length", "MAX_TOKENS"},
                            {"content_filter", "ERROR_TOXIC"},
                            {"tool_calls", "TOOL_CALL"},
                            {"error", "ERROR"}};

constexpr Wording kWordings[] = {
    {ErrorKind::Auth, 401, "invalid api token"},
    {ErrorKind::RateLimit, 429,
     "You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the "
     "Trial key for "
     "free or upgrade to a Production key with higher rate limits at "
     "'https://dashboard.cohere.com/api-keys'."},
    {ErrorKind::Quota, 429, "You are using a Trial key, which is limited to 1000 API calls / month."},
    {ErrorKind::ContextLength, 400,
     "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292."},
    {ErrorKind::ContentFilter, 498, "the request or response contained a deny-listed token"},
    {ErrorKind::Model, 404,
     "model 'sim' not found, make sure the correct model ID was used and that you have access to the model."},
    {ErrorKind::Invalid, 400, "invalid request"},
    {ErrorKind::Overloaded, 503, "service unavailable"},
    {ErrorKind::Server, 500, "internal server error"},
    {ErrorKind::Timeout, 504, "gateway timeout"},
};

Reply errorReply(const Ask& ask, const Failure& f) {
    return {.status = statusOf(kWordings, f),
            .body = obj({{"id", idOf("err-", ask)}, {"message", messageOf(kWordings, f)}}).str()};
}

J usageOf(const Answer& a) {
    if (!a.usage) return J::absent();
    // tokens counts the provider's template too, billed_units only what the caller sent.
    return obj(
        {{"billed_units", obj({{"input_tokens", a.usage->prompt}, {"output_tokens", a.usage->completion}})},
         {"tokens", obj({{"input_tokens", a.usage->prompt + 66},
                         {"output_tokens", a.usage->completion + a.usage->reasoning}})}});
}

std::string textOf(const Answer& a) { return a.refusal.empty() ? a.text.value_or("") : a.refusal; }

class CohereV2 final : public Format {
public:
    std::string_view name() const override { return "cohere"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        auto body = parseBody(call);
        if (!body) return std::move(body).error();
        ask.model = json::string(*body, "model").value_or("");
        ask.stream = json::boolean(*body, "stream").value_or(false);
        if (ask.model.empty())
            return Error{ErrorClass::InvalidRequest, "a model parameter is required for this endpoint."};
        const auto* messages = json::find(*body, "messages");
        if (!messages) return Error{ErrorClass::InvalidRequest, "invalid request: messages are required"};
        const double temperature = json::number(*body, "temperature").value_or(0);
        if (temperature < 0 || temperature > 1)
            return Error{ErrorClass::InvalidRequest,
                         "invalid request: temperature must be between 0 and 1.0 inclusive."};
        appendText(*messages, ask.prompt);
        return {};
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        return ask.stream ? streamed(ask, a) : whole(ask, a);
    }
    Reply failure(const Ask& ask, const Failure& f) const override { return errorReply(ask, f); }

    std::string streamError(const Ask&, const Failure& f) const override {
        return sse(
            obj({{"type", "message-end"},
                 {"delta", obj({{"error", messageOf(kWordings, f)},
                                {"finish_reason", f.kind == ErrorKind::Timeout ? "TIMEOUT" : "ERROR"}})}}),
            "message-end");
    }

private:
    static Reply whole(const Ask& ask, const Answer& a) {
        std::vector<J> content;
        if (!a.reasoning.empty()) content.push_back(obj({{"type", "thinking"}, {"thinking", a.reasoning}}));
        if (a.text) content.push_back(obj({{"type", "text"}, {"text", textOf(a)}}));
        return {.body = obj({{"id", idOf("coh-", ask)},
                             {"finish_reason", translate(a.finish, kFinish)},
                             {"message", obj({{"role", "assistant"},
                                              {"content", content.empty() ? J::absent() : arr(content)}})},
                             {"usage", usageOf(a)}})
                            .str()};
    }

    static Reply streamed(const Ask& ask, const Answer& a) {
        Reply reply{.content_type = "text/event-stream"};
        reply.events.push_back(
            sse(obj({{"id", idOf("coh-", ask)},
                     {"type", "message-start"},
                     {"delta", obj({{"message", obj({{"role", "assistant"}, {"content", arr({})}})}})}}),
                "message-start"));
        int index = 0;
        if (!a.reasoning.empty()) block(reply, index++, "thinking", a.reasoning, ask.options.chunk_bytes);
        if (a.text) block(reply, index, "text", textOf(a), ask.options.chunk_bytes);
        reply.events.push_back(sse(
            obj({{"type", "message-end"},
                 {"delta", obj({{"finish_reason", translate(a.finish, kFinish)}, {"usage", usageOf(a)}})}}),
            "message-end"));
        reply.done = "data: [DONE]\n\n";
        return reply;
    }

    static J content(const J& inner) { return obj({{"message", obj({{"content", inner}})}}); }

    static void block(Reply& reply, int index, std::string_view type, std::string_view text, size_t bytes) {
        reply.events.push_back(sse(obj({{"type", "content-start"},
                                        {"index", index},
                                        {"delta", content(obj({{"type", type}, {type, ""}}))}}),
                                   "content-start"));
        for (const auto piece : pieces(text, bytes))
            reply.events.push_back(sse(
                obj({{"type", "content-delta"}, {"index", index}, {"delta", content(obj({{type, piece}}))}}),
                "content-delta"));
        reply.events.push_back(sse(obj({{"type", "content-end"}, {"index", index}}), "content-end"));
    }
};

class CohereV1 final : public Format {
public:
    std::string_view name() const override { return "cohere-v1"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        auto body = parseBody(call);
        if (!body) return std::move(body).error();
        ask.model = json::string(*body, "model").value_or("command-r");
        ask.stream = json::boolean(*body, "stream").value_or(false);
        const auto* message = json::find(*body, "message");
        if (!message || !message->IsString())
            return Error{ErrorClass::InvalidRequest, "invalid request: message must be a string"};
        for (const auto* field : {"preamble", "chat_history"})
            if (const auto* v = json::find(*body, field)) appendText(*v, ask.prompt);
        appendText(*message, ask.prompt);
        return {};
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        return ask.stream ? streamed(ask, a) : Reply{.body = whole(ask, a).str()};
    }
    Reply failure(const Ask& ask, const Failure& f) const override { return errorReply(ask, f); }

    std::string streamError(const Ask&, const Failure& f) const override {
        return obj({{"is_finished", true},
                    {"event_type", "stream-end"},
                    {"finish_reason", "ERROR"},
                    {"error", messageOf(kWordings, f)}})
                   .str() +
               "\n";
    }

private:
    static J whole(const Ask& ask, const Answer& a) {
        return obj({{"response_id", idOf("rsp-", ask)},
                    {"generation_id", idOf("gen-", ask)},
                    {"text", a.text ? J(textOf(a)) : J(nullptr)},
                    {"finish_reason", translate(a.finish, kFinish)},
                    {"meta", usageOf(a)}});
    }

    static Reply streamed(const Ask& ask, const Answer& a) {
        Reply reply{.content_type = "application/stream+json"};
        const auto say = [&](const J& event) { reply.events.push_back(event.str() + "\n"); };
        say(obj(
            {{"is_finished", false}, {"event_type", "stream-start"}, {"generation_id", idOf("gen-", ask)}}));
        const auto text = textOf(a);
        for (const auto piece : pieces(text, ask.options.chunk_bytes))
            say(obj({{"is_finished", false}, {"event_type", "text-generation"}, {"text", piece}}));
        reply.done = obj({{"is_finished", true},
                          {"event_type", "stream-end"},
                          {"finish_reason", translate(a.finish, kFinish)},
                          {"response", whole(ask, a)}})
                         .str() +
                     "\n";
        return reply;
    }
};

}  // namespace

const Format& cohereV2Format() {
    static const CohereV2 format;
    return format;
}

const Format& cohereV1Format() {
    static const CohereV1 format;
    return format;
}

}  // namespace stepper::sim
