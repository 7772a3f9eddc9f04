// A Hugging Face Space of one's own: POST api/infer {"prompt"} and GET health.
#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

constexpr Wording kWordings[] = {
    {ErrorKind::Auth, 401, "Not authenticated"},
    {ErrorKind::RateLimit, 429, "Too Many Requests"},
    {ErrorKind::Quota, 429, "You have exceeded your GPU quota (60s requested vs. 41s left)."},
    {ErrorKind::ContextLength, 400, "the prompt is longer than the model's context length"},
    {ErrorKind::ContentFilter, 400, "the prompt was blocked"},
    {ErrorKind::Model, 404, "Not Found"},
    {ErrorKind::Invalid, 422, "Unprocessable Entity"},
    {ErrorKind::Overloaded, 503, "Service Unavailable"},
    {ErrorKind::Server, 500, "Internal Server Error"},
    {ErrorKind::Timeout, 504, "Gateway Timeout"},
};

class Space final : public Format {
public:
    std::string_view name() const override { return "space"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        if (call.method == "GET") {
            ask.kind = Ask::Kind::Info;
            return {};
        }
        auto body = parseBody(call);
        if (!body) return std::move(body).error();
        const auto prompt = json::string(*body, "prompt");
        if (!prompt) return Error{ErrorClass::InvalidRequest, "body.prompt: Field required"};
        ask.prompt = *prompt;
        ask.model = "space";
        return {};
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        if (ask.kind == Ask::Kind::Info) return {.body = obj({{"status", "ok"}}).str()};
        const auto said = a.refusal.empty() ? a.text : std::optional(a.refusal);
        return {.body = obj({{ask.options.space_field, said ? J(*said) : J::absent()}}).str()};
    }

    Reply failure(const Ask&, const Failure& f) const override {
        const int status = statusOf(kWordings, f);
        const auto message = messageOf(kWordings, f, "Try again in");
        // An exception in the application leaves the framework's plain text.
        if (status == 500) return {.status = 500, .content_type = "text/plain", .body = message};
        if (f.kind != ErrorKind::Invalid) return {.status = status, .body = obj({{"detail", message}}).str()};
        return {
            .status = status,
            .body =
                obj({{"detail", arr({obj({{"type", "missing"}, {"loc", arr({"body"})}, {"msg", message}})})}})
                    .str()};
    }

    std::string streamError(const Ask& ask, const Failure& f) const override { return failure(ask, f).body; }
};

}  // namespace

const Format& spaceFormat() {
    static const Space format;
    return format;
}

}  // namespace stepper::sim
