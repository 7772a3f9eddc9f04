// Google Gemini, v1beta generateContent.
#include <fmt/format.h>

#include "core/base/text.h"
#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {
namespace {

constexpr Word kFinish[] = {{"stop", "STOP"},
                            {"length", "MAX_TOKENS"},
                            {"content_filter", "SAFETY"},
                            {"tool_calls", "UNEXPECTED_TOOL_CALL"},
                            {"error", "OTHER"}};

constexpr Wording kWordings[] = {
    {ErrorKind::Auth, 400, "API key not valid. Please pass a valid API key."},
    {ErrorKind::RateLimit, 429, "Resource has been exhausted (e.g. check quota)."},
    {ErrorKind::Quota, 429,
     "You exceeded your current quota, please check your plan and billing details. * Quota exceeded for "
     "metric: "
     "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0, model: sim"},
    {ErrorKind::ContextLength, 400,
     "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."},
    {ErrorKind::ContentFilter, 400, "The prompt was blocked."},
    {ErrorKind::Model, 404,
     "models/sim is not found for API version v1beta, or is not supported for generateContent."},
    {ErrorKind::Invalid, 400, "Invalid JSON payload received."},
    {ErrorKind::Overloaded, 503, "The model is overloaded. Please try again later."},
    {ErrorKind::Server, 500, "An internal error has occurred."},
    {ErrorKind::Timeout, 504, "The request timed out. Please try again."},
};

std::string_view rpcStatus(int status) {
    switch (status) {
        case 400: return "INVALID_ARGUMENT";
        case 401: return "UNAUTHENTICATED";
        case 403: return "PERMISSION_DENIED";
        case 404: return "NOT_FOUND";
        case 429: return "RESOURCE_EXHAUSTED";
        case 499: return "CANCELLED";
        case 503: return "UNAVAILABLE";
        case 504: return "DEADLINE_EXCEEDED";
        default: return "INTERNAL";
    }
}

J rpc(std::string_view type, std::initializer_list<std::pair<std::string_view, J>> members) {
    const auto rest = obj(members).str();
    return J::raw(fmt::format(R"({{"@type":"type.googleapis.com/google.rpc.{}",{})", type, rest.substr(1)));
}

J detailsOf(const Failure& f) {
    std::vector<J> details;
    if (f.kind == ErrorKind::Auth)
        details.push_back(rpc("ErrorInfo", {{"reason", "API_KEY_INVALID"}, {"domain", "googleapis.com"}}));
    if (f.kind == ErrorKind::Quota)
        details.push_back(
            rpc("QuotaFailure",
                {{"violations",
                  arr({obj({{"quotaId", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}})})}}));
    if (!f.retry_info.empty()) details.push_back(rpc("RetryInfo", {{"retryDelay", f.retry_info}}));
    return details.empty() ? J::absent() : arr(details);
}

J errorBody(const Failure& f, int status) {
    return obj({{"error", obj({{"code", status},
                               {"message", messageOf(kWordings, f, "Please retry in")},
                               {"status", rpcStatus(status)},
                               {"details", detailsOf(f)}})}});
}

J usageOf(const Answer& a) {
    if (!a.usage) return J::absent();
    return obj({{"promptTokenCount", a.usage->prompt},
                {"candidatesTokenCount", a.usage->completion},
                {"thoughtsTokenCount", a.usage->reasoning ? J(a.usage->reasoning) : J::absent()},
                {"totalTokenCount", a.usage->total()}});
}

J wrap(const Ask& ask, const Answer& a, const J& candidates, const J& feedback = J::absent()) {
    return obj({{"candidates", candidates},
                {"promptFeedback", feedback},
                {"usageMetadata", usageOf(a)},
                {"modelVersion", ask.model},
                {"responseId", idOf("sim", ask)}});
}

J candidate(const std::vector<J>& parts, const J& finish) {
    return arr({obj({{"content", parts.empty() ? obj({}) : obj({{"role", "model"}, {"parts", arr(parts)}})},
                     {"finishReason", finish},
                     {"index", 0}})});
}

J blocked(const Ask& ask, const Answer& a) {
    return wrap(ask, a, J::absent(),
                obj({{"blockReason", "PROHIBITED_CONTENT"}, {"safetyRatings", arr({})}}));
}

J safety(const Ask& ask, const Answer& a) {
    return wrap(ask, a,
                arr({obj({{"finishReason", "SAFETY"},
                          {"index", 0},
                          {"safetyRatings", arr({obj({{"category", "HARM_CATEGORY_DANGEROUS_CONTENT"},
                                                      {"probability", "HIGH"},
                                                      {"blocked", true}})})}})}));
}

J thought(std::string_view text) { return obj({{"text", text}, {"thought", true}}); }
J part(std::string_view text) { return obj({{"text", text}}); }

class Gemini final : public Format {
public:
    std::string_view name() const override { return "gemini"; }

    Result<void> parse(const Call& call, Ask& ask) const override {
        if (call.method == "GET") {
            ask.kind = Ask::Kind::Info;
            return {};
        }
        const auto begin = call.path.find("/models/") + 8, colon = call.path.rfind(':');
        if (colon == std::string::npos || colon < begin)
            return Error{ErrorClass::InvalidRequest, "the path names no method such as :generateContent"};
        ask.model = call.path.substr(begin, colon - begin);
        ask.stream = call.path.ends_with(":streamGenerateContent");
        ask.json_array = call.parameter("alt") != "sse";
        if (!ask.stream && !call.path.ends_with(":generateContent"))
            return Error{
                .error_class = ErrorClass::InvalidRequest, .message = "unknown method", .http_status = 404};
        if (!call.header("x-goog-api-key").empty() && !call.header("authorization").empty())
            return Error{ErrorClass::InvalidRequest, "Multiple authentication credentials received."};
        auto body = parseBody(call);
        if (!body) return std::move(body).error();
        const auto* contents = json::find(*body, "contents");
        if (!contents) return Error{ErrorClass::InvalidRequest, "contents is not specified"};
        if (const auto* system = json::find(*body, "systemInstruction")) appendText(*system, ask.prompt);
        appendText(*contents, ask.prompt);
        return {};
    }

    Reply answer(const Ask& ask, const Answer& a) const override {
        if (ask.kind == Ask::Kind::Info)
            return {.body = obj({{"models",
                                  arr({obj({{"name", "models/sim-model"},
                                            {"supportedGenerationMethods", arr({"generateContent"})}})})}})
                                .str()};
        return ask.stream ? streamed(ask, a) : Reply{.body = whole(ask, a).str()};
    }

    Reply failure(const Ask& ask, const Failure& f) const override {
        const int status = statusOf(kWordings, f);
        const auto body = errorBody(f, status);
        return {.status = status, .body = ask.stream && ask.json_array ? arr({body}).str() : body.str()};
    }

    std::string streamError(const Ask& ask, const Failure& f) const override {
        const auto body = errorBody(f, statusOf(kWordings, f));
        return ask.json_array ? "\r\n,\r\n" + body.str() : "data: " + body.str() + "\r\n\r\n";
    }

private:
    static J whole(const Ask& ask, const Answer& a) {
        if (!a.refusal.empty()) return blocked(ask, a);
        if (a.finish == "content_filter") return safety(ask, a);
        std::vector<J> parts;
        if (!a.reasoning.empty()) parts.push_back(thought(a.reasoning));
        if (a.text) parts.push_back(part(*a.text));
        return wrap(ask, a, candidate(parts, translate(a.finish, kFinish)));
    }

    static Reply streamed(const Ask& ask, const Answer& a) {
        const auto chunks = chunksOf(ask, a);
        Reply reply{.content_type = ask.json_array ? "application/json" : "text/event-stream"};
        for (const auto& chunk : chunks) {
            if (!ask.json_array)
                reply.events.push_back("data: " + chunk.str() + "\r\n\r\n");
            else
                reply.events.push_back((reply.events.empty() ? "[" : "\r\n,\r\n") + chunk.str());
        }
        if (ask.json_array) reply.done += ']';
        return reply;
    }

    static std::vector<J> chunksOf(const Ask& ask, const Answer& a) {
        if (!a.refusal.empty()) return {blocked(ask, a)};
        std::vector<J> out;
        const auto bytes = ask.options.chunk_bytes;
        for (const auto piece : pieces(a.reasoning, bytes))
            out.push_back(wrap(ask, a, candidate({thought(piece)}, J::absent())));
        const bool filtered = a.finish == "content_filter";
        const auto text = pieces(a.text ? std::string_view(*a.text) : std::string_view(), bytes);
        for (size_t i = 0; i < text.size(); ++i) {
            const bool last = i + 1 == text.size() && !filtered;
            out.push_back(wrap(
                ask, a, candidate({part(text[i])}, last ? J(translate(a.finish, kFinish)) : J::absent())));
        }
        if (filtered) out.push_back(safety(ask, a));
        if (text.empty() && !filtered)
            out.push_back(wrap(ask, a, candidate({}, translate(a.finish, kFinish))));
        return out;
    }
};

}  // namespace

const Format& geminiFormat() {
    static const Gemini format;
    return format;
}

}  // namespace stepper::sim
