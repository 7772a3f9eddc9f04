// A Gradio application: POST call/NAME gives an event id, GET call/NAME/ID streams its result. Version 4 has
// no prefix, later ones live below /gradio_api.
#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

constexpr Wording kWordings[] = {
    {ErrorKind::Auth, 401, "Not authenticated"},
    {ErrorKind::RateLimit, 503, "Queue is full. Max size is 20 and size is 20."},
    {ErrorKind::Quota, 429,
     "You have exceeded your GPU quota (60s requested vs. 41s left). Try again in 0:09:48"},
    {ErrorKind::ContextLength, 400, "the prompt is longer than the model's context length"},
    {ErrorKind::ContentFilter, 400, "the prompt was blocked"},
    {ErrorKind::Model, 404, "Not Found"},
    {ErrorKind::Invalid, 422, "Field required"},
    {ErrorKind::Overloaded, 503, "Queue is stopped."},
    {ErrorKind::Server, 500, "Internal Server Error"},
    {ErrorKind::Timeout, 504, "Gateway Timeout"},
};

std::string errorEvent(const Failure& f) {
    const auto title = f.kind == ErrorKind::Quota ? "ZeroGPU quota exceeded" : "Error";
    return sse(obj({{"error", messageOf(kWordings, f, "Try again in")},
                    {"visible", true},
                    {"duration", 10},
                    {"title", title}}),
               "error");
}

class Gradio final : public Format {
public:
    std::string_view name() const override { return "gradio"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        const bool prefixed = call.path.find("/gradio_api/") != std::string::npos;
        if (call.path.ends_with("/config")) {
            ask.kind = Ask::Kind::Info;
            return {};
        }
        if (prefixed != (ask.options.gradio >= 5))
            return Error{
                .error_class = ErrorClass::InvalidRequest, .message = "Not Found", .http_status = 404};
        if (call.method == "GET") {
            ask.kind = Ask::Kind::Fetch;
            ask.stream = true;
            ask.event_id = call.path.substr(call.path.rfind('/') + 1);
            return {};
        }
        ask.kind = Ask::Kind::Submit;
        ask.model = "gradio";
        auto body = parseBody(call);
        if (!body) return std::move(body).error();
        const auto* data = json::find(*body, "data");
        if (!data || !data->IsArray()) return Error{ErrorClass::InvalidRequest, "body.data: Field required"};
        appendText(*data, ask.prompt);
        return {};
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        if (ask.kind == Ask::Kind::Info) return config(ask);
        if (ask.kind == Ask::Kind::Submit) return {.body = obj({{"event_id", ask.event_id}}).str()};
        return result(ask, a);
    }

    Reply failure(const Ask& ask, const Failure& f) const override {
        // The stream is open by the time the work fails, unless a status says the server itself refused.
        if (ask.kind == Ask::Kind::Fetch && !f.status && f.kind != ErrorKind::Auth)
            return {.content_type = "text/event-stream", .events = {errorEvent(f)}};
        return {.status = statusOf(kWordings, f),
                .body = obj({{"detail", messageOf(kWordings, f, "Try again in")}}).str()};
    }

    std::string streamError(const Ask&, const Failure& f) const override { return errorEvent(f); }

private:
    static Reply config(const Ask& ask) {
        const bool old = ask.options.gradio < 5;
        return {.body = obj({{"version", std::to_string(ask.options.gradio) + ".25.0"},
                             {"api_prefix", old ? J::absent() : J("/gradio_api")},
                             {"protocol", "sse_v3"}})
                            .str()};
    }

    // Every generating event repeats the whole text so far.
    static Reply result(const Ask& ask, const Answer& a) {
        Reply reply{.content_type = "text/event-stream"};
        reply.events.push_back(sse(nullptr, "heartbeat"));
        const auto said = a.refusal.empty() ? a.text : std::optional(a.refusal);
        size_t grown = 0;
        for (const auto piece :
             pieces(said ? std::string_view(*said) : std::string_view(), ask.options.chunk_bytes)) {
            grown += piece.size();
            reply.events.push_back(sse(arr({std::string_view(*said).substr(0, grown)}), "generating"));
        }
        reply.done = sse(arr({said ? J(*said) : J(nullptr)}), "complete");
        return reply;
    }
};

}  // namespace

const Format& gradioFormat() {
    static const Gradio format;
    return format;
}

}  // namespace stepper::sim
