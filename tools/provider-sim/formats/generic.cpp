// A JSON endpoint of no known provider, with a configurable reply body. Every text of the request is the
// prompt.
#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

constexpr Wording kWordings[] = {
    {ErrorKind::Auth, 401, "bad key"},
    {ErrorKind::RateLimit, 429, "too many requests"},
    {ErrorKind::Quota, 429, "quota exhausted"},
    {ErrorKind::ContextLength, 400, "prompt too long"},
    {ErrorKind::ContentFilter, 400, "prompt blocked"},
    {ErrorKind::Model, 404, "unknown model"},
    {ErrorKind::Invalid, 400, "invalid request"},
    {ErrorKind::Overloaded, 503, "overloaded"},
    {ErrorKind::Server, 500, "internal error"},
    {ErrorKind::Timeout, 504, "timeout"},
};

constexpr std::string_view kDefaultBody =
    R"({"result":{"text":"$ANSWER"},"usage":{"input":"$PROMPT_TOKENS","output":"$COMPLETION_TOKENS"}})";

void appendEveryText(const json::Value& v, std::string& prompt) {
    if (v.IsObject())
        for (const auto& member : v.GetObject()) appendEveryText(member.value, prompt);
    else if (v.IsArray())
        for (const auto& item : v.GetArray()) appendEveryText(item, prompt);
    else
        appendText(v, prompt);
}

void replaceAll(std::string& text, std::string_view what, const std::string& by) {
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

class Generic final : public Format {
public:
    std::string_view name() const override { return "generic"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        auto body = parseBody(call);
        if (!body) return std::move(body).error();
        ask.model = json::string(*body, "model").value_or("generic");
        appendEveryText(*body, ask.prompt);
        return {};
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        std::string body =
            ask.options.generic_body.empty() ? std::string(kDefaultBody) : ask.options.generic_body;
        const auto usage = a.usage.value_or(Usage{});
        replaceAll(body, "\"$PROMPT_TOKENS\"", std::to_string(usage.prompt));
        replaceAll(body, "\"$COMPLETION_TOKENS\"", std::to_string(usage.completion));
        replaceAll(body, "\"$ANSWER\"", (a.text ? J(*a.text) : J(nullptr)).str());
        return {.body = std::move(body)};
    }

    Reply failure(const Ask&, const Failure& f) const override {
        return {.status = statusOf(kWordings, f), .body = obj({{"error", messageOf(kWordings, f)}}).str()};
    }

    std::string streamError(const Ask& ask, const Failure& f) const override { return failure(ask, f).body; }
};

}  // namespace

const Format& genericFormat() {
    static const Generic format;
    return format;
}

}  // namespace stepper::sim
