// Anthropic Messages.
#include <fmt/format.h>

#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

constexpr Word kFinish[] = {{"stop", "end_turn"},
                            {"length", "max_tokens"},
                            {"content_filter", "refusal"},
                            {"tool_calls", "tool_use"}};

constexpr Wording kWordings[] = {
    {ErrorKind::Auth, 401, "invalid x-api-key"},
    {ErrorKind::RateLimit, 429,
     "This request would exceed your organization's rate limit of 50,000 input tokens per minute."},
    {ErrorKind::Quota, 400, "Your credit balance is too low to access the Anthropic API."},
    {ErrorKind::ContextLength, 400, "prompt is too long: 213462 tokens > 200000 maximum"},
    {ErrorKind::ContentFilter, 400, "Output blocked by content filtering policy"},
    {ErrorKind::Model, 404, "model: sim"},
    {ErrorKind::Invalid, 400, "invalid request"},
    {ErrorKind::Overloaded, 529, "Overloaded"},
    {ErrorKind::Server, 500, "Internal server error"},
    {ErrorKind::Timeout, 504, "Request timed out"},
};

std::string_view typeOf(const Failure& f) {
    switch (f.kind) {
        case ErrorKind::Auth: return f.status == 403 ? "permission_error" : "authentication_error";
        case ErrorKind::RateLimit: return "rate_limit_error";
        case ErrorKind::Quota: return f.status == 402 ? "billing_error" : "invalid_request_error";
        case ErrorKind::Model: return "not_found_error";
        case ErrorKind::Overloaded: return "overloaded_error";
        case ErrorKind::Server: return "api_error";
        case ErrorKind::Timeout: return "timeout_error";
        case ErrorKind::ContextLength: return f.status == 413 ? "request_too_large" : "invalid_request_error";
        default: return "invalid_request_error";
    }
}

J errorBody(const Ask& ask, const Failure& f) {
    return obj({{"type", "error"},
                {"error", obj({{"type", typeOf(f)}, {"message", messageOf(kWordings, f)}})},
                {"request_id", idOf("req_", ask)}});
}

J usageOf(const Answer& a) {
    if (!a.usage) return J::absent();
    return obj({{"input_tokens", a.usage->prompt},
                {"cache_creation_input_tokens", 0},
                {"cache_read_input_tokens", 0},
                {"output_tokens", a.usage->completion + a.usage->reasoning}});
}

J stopDetails(const Answer& a) {
    if (a.refusal.empty()) return nullptr;
    return obj({{"type", "refusal"}, {"category", nullptr}, {"explanation", a.refusal}});
}

J stopReason(const Answer& a) { return a.refusal.empty() ? J(translate(a.finish, kFinish)) : J("refusal"); }

J message(const Ask& ask, const std::vector<J>& content, const J& stop, const J& details, const J& usage) {
    return obj({{"id", idOf("msg_", ask)},
                {"type", "message"},
                {"role", "assistant"},
                {"model", ask.model},
                {"content", arr(content)},
                {"stop_reason", stop},
                {"stop_sequence", nullptr},
                {"stop_details", details},
                {"usage", usage}});
}

class Anthropic final : public Format {
public:
    std::string_view name() const override { return "anthropic"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        auto parsed = parseBody(call);
        if (!parsed) return std::move(parsed).error();
        const auto& body = *parsed;
        ask.model = json::string(body, "model").value_or("");
        ask.stream = json::boolean(body, "stream").value_or(false);
        const auto version = call.header("anthropic-version");
        if (version.empty())
            return Error{ErrorClass::InvalidRequest, "anthropic-version: header is required"};
        if (!json::integer(body, "max_tokens"))
            return Error{ErrorClass::InvalidRequest, "max_tokens: Field required"};
        const auto* messages = json::find(body, "messages");
        if (!messages) return Error{ErrorClass::InvalidRequest, "messages: Field required"};
        if (version != "2023-06-01")
            for (const auto* field : {"temperature", "top_p", "top_k"})
                if (json::find(body, field))
                    return Error{ErrorClass::InvalidRequest,
                                 fmt::format("`{}` is deprecated for this model.", field)};
        if (const auto* system = json::find(body, "system")) appendText(*system, ask.prompt);
        appendText(*messages, ask.prompt);
        return {};
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        Reply reply = ask.stream ? streamed(ask, a) : whole(ask, a);
        reply.headers = {{"request-id", idOf("req_", ask)}};
        return reply;
    }

    Reply failure(const Ask& ask, const Failure& f) const override {
        return {.status = statusOf(kWordings, f), .body = errorBody(ask, f).str()};
    }

    std::string streamError(const Ask& ask, const Failure& f) const override {
        return sse(errorBody(ask, f), "error");
    }

    Headers rateLimits(const Ask&, const Allowances& allowances, WallTime now) const override {
        Headers out;
        const auto add = [&](const std::optional<Allowance>& a, std::string_view what) {
            if (!a) return;
            out.emplace_back(fmt::format("anthropic-ratelimit-{}-limit", what), std::to_string(a->limit));
            out.emplace_back(fmt::format("anthropic-ratelimit-{}-remaining", what),
                             std::to_string(a->remaining));
            out.emplace_back(fmt::format("anthropic-ratelimit-{}-reset", what), isoTime(now + a->reset));
        };
        add(allowances.requests, "requests");
        add(allowances.tokens, "tokens");
        return out;
    }

private:
    static bool speaks(const Answer& a) { return a.text && a.refusal.empty(); }

    static Reply whole(const Ask& ask, const Answer& a) {
        std::vector<J> content;
        if (!a.reasoning.empty())
            content.push_back(obj({{"type", "thinking"}, {"thinking", a.reasoning}, {"signature", "c2ln"}}));
        if (speaks(a)) content.push_back(obj({{"type", "text"}, {"text", *a.text}, {"citations", nullptr}}));
        return {.body = message(ask, content, stopReason(a), stopDetails(a), usageOf(a)).str()};
    }

    static Reply streamed(const Ask& ask, const Answer& a) {
        Reply reply{.content_type = "text/event-stream"};
        const J opening =
            a.usage ? obj({{"input_tokens", a.usage->prompt}, {"output_tokens", 1}}) : J::absent();
        reply.events.push_back(sse(
            obj({{"type", "message_start"}, {"message", message(ask, {}, nullptr, J::absent(), opening)}}),
            "message_start"));
        reply.events.push_back(sse(obj({{"type", "ping"}}), "ping"));
        int index = 0;
        if (!a.reasoning.empty()) block(reply, index++, "thinking", a.reasoning, ask.options.chunk_bytes);
        if (speaks(a)) block(reply, index, "text", *a.text, ask.options.chunk_bytes);
        reply.events.push_back(sse(obj({{"type", "message_delta"},
                                        {"delta", obj({{"stop_reason", stopReason(a)},
                                                       {"stop_sequence", nullptr},
                                                       {"stop_details", stopDetails(a)}})},
                                        {"usage", usageOf(a)}}),
                                   "message_delta"));
        reply.done = sse(obj({{"type", "message_stop"}}), "message_stop");
        return reply;
    }

    static void block(Reply& reply, int index, std::string_view type, std::string_view text, size_t bytes) {
        reply.events.push_back(sse(obj({{"type", "content_block_start"},
                                        {"index", index},
                                        {"content_block", obj({{"type", type}, {type, ""}})}}),
                                   "content_block_start"));
        const auto delta = std::string(type) + "_delta";
        for (const auto piece : pieces(text, bytes))
            reply.events.push_back(sse(obj({{"type", "content_block_delta"},
                                            {"index", index},
                                            {"delta", obj({{"type", delta}, {type, piece}})}}),
                                       "content_block_delta"));
        reply.events.push_back(
            sse(obj({{"type", "content_block_stop"}, {"index", index}}), "content_block_stop"));
    }
};

}  // namespace

const Format& anthropicFormat() {
    static const Anthropic format;
    return format;
}

}  // namespace stepper::sim
