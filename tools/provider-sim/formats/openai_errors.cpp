#include "tools/provider-sim/formats/openai_errors.h"

#include <algorithm>

namespace stepper::sim {
namespace {

// How OpenAI itself reports a kind; the others borrow its words unless they have their own.
struct Report {
    ErrorKind kind;
    int status;
    const char* type;
    const char* code;  // nullptr is null
    const char* message;
};
constexpr Report kOpenAi[] = {
    {ErrorKind::Auth, 401, "invalid_request_error", "invalid_api_key",
     "Incorrect API key provided: sk-s****************sim. You can find your API key at "
     "https://platform.openai.com/account/api-keys."},
    {ErrorKind::RateLimit, 429, "requests", "rate_limit_exceeded",
     "Rate limit reached for this model in organization org-sim on requests per min (RPM): Limit 3, Used 3, "
     "Requested 1."},
    {ErrorKind::Quota, 429, "insufficient_quota", "insufficient_quota",
     "You exceeded your current quota, please check your plan and billing details."},
    {ErrorKind::ContextLength, 400, "invalid_request_error", "context_length_exceeded",
     "This model's maximum context length is 128000 tokens. However, your messages resulted in 131502 "
     "tokens. Please "
     "reduce the length of the messages."},
    {ErrorKind::ContentFilter, 400, "invalid_request_error", "content_policy_violation",
     "Your request was rejected as a result of our safety system."},
    {ErrorKind::Model, 404, "invalid_request_error", "model_not_found",
     "The model does not exist or you do not have access to it."},
    {ErrorKind::Invalid, 400, "invalid_request_error", nullptr, "Invalid request."},
    {ErrorKind::Overloaded, 503, "service_unavailable_error", "server_is_overloaded",
     "The server is currently overloaded. Please try again later."},
    {ErrorKind::Server, 500, "server_error", nullptr,
     "The server had an error while processing your request."},
    {ErrorKind::Timeout, 504, "server_error", nullptr, "The request timed out."},
};

struct Particular {
    Flavor flavor;
    ErrorKind kind;
    int status;
    const char* message;
};
constexpr Particular kParticulars[] = {
    {Flavor::Groq, ErrorKind::ContextLength, 400, "Please reduce the length of the messages or completion."},
    {Flavor::DeepSeek, ErrorKind::Auth, 401, "Authentication Fails, Your api key is invalid"},
    {Flavor::DeepSeek, ErrorKind::Quota, 402, "Insufficient Balance"},
    {Flavor::Mistral, ErrorKind::RateLimit, 429, "Rate limit exceeded"},
    {Flavor::Mistral, ErrorKind::Overloaded, 429, "Service tier capacity exceeded for this model."},
    {Flavor::Mistral, ErrorKind::ContextLength, 400,
     "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"},
    {Flavor::OpenRouter, ErrorKind::Quota, 402,
     "Insufficient credits. Add more using https://openrouter.ai/credits"},
    {Flavor::OpenRouter, ErrorKind::ContentFilter, 403, "Your input was flagged."},
    {Flavor::OpenRouter, ErrorKind::RateLimit, 429, "Rate limit exceeded: free-models-per-min."},
    {Flavor::OpenRouter, ErrorKind::Overloaded, 529, "Provider returned error"},
    {Flavor::Cerebras, ErrorKind::RateLimit, 429,
     "Requests per minute limit exceeded - too many requests sent."},
    {Flavor::Cerebras, ErrorKind::ContextLength, 413,
     "Please reduce the length of the messages or completion."},
    {Flavor::Xai, ErrorKind::Auth, 400,
     "Incorrect API key provided: xa***im. You can obtain an API key from https://console.x.ai."},
    {Flavor::Xai, ErrorKind::Overloaded, 200,
     "Service temporarily unavailable. The model is at capacity and currently cannot serve this request."},
    {Flavor::Xai, ErrorKind::ContextLength, 400,
     "This model's maximum prompt length is 131072 but the request contains 140000 tokens."},
    {Flavor::Nvidia, ErrorKind::Auth, 403, "Authorization failed"},
    {Flavor::Nvidia, ErrorKind::Overloaded, 400, "Function id 'sim': DEGRADED function cannot be invoked"},
    {Flavor::Nvidia, ErrorKind::Model, 404, "Function 'sim': Not found for account 'sim'"},
    {Flavor::Ollama, ErrorKind::Overloaded, 503,
     "server busy, please try again. maximum pending requests exceeded"},
    {Flavor::Ollama, ErrorKind::Model, 404, "model 'sim' not found"},
    {Flavor::Ollama, ErrorKind::ContextLength, 400,
     "prompt too long; exceeded max context length by 512 tokens"},
    {Flavor::LlamaCpp, ErrorKind::Overloaded, 503, "Loading model"},
    {Flavor::LlamaCpp, ErrorKind::ContextLength, 400,
     "request (13392 tokens) exceeds the available context size (8192 tokens), try increasing it"},
    {Flavor::Vllm, ErrorKind::Auth, 401, "Unauthorized"},
    {Flavor::Vllm, ErrorKind::ContextLength, 400,
     "You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is "
     "only 1024 "
     "tokens, resulting in a maximum input length of 1014 tokens."},
    {Flavor::Together, ErrorKind::Quota, 402, "You have reached your spend limit."},
    {Flavor::Together, ErrorKind::ContextLength, 403,
     "The input (516368 tokens) is longer than the model's context length (262144 tokens)."},
    {Flavor::LmStudio, ErrorKind::ContextLength, 400,
     "Cannot truncate prompt with n_keep (4270) >= n_ctx (4096)"},
};

const Report& reportOf(ErrorKind kind) {
    const auto it =
        std::find_if(std::begin(kOpenAi), std::end(kOpenAi), [&](const Report& r) { return r.kind == kind; });
    STEPPER_ASSERT(it != std::end(kOpenAi));
    return *it;
}

const Particular* particularOf(Flavor flavor, ErrorKind kind) {
    for (const auto& p : kParticulars)
        if (p.flavor == flavor && p.kind == kind) return &p;
    return nullptr;
}

std::string textOf(Flavor flavor, const Failure& f) {
    std::string message = f.message;
    if (message.empty()) {
        const auto* own = particularOf(flavor, f.kind);
        message = own ? own->message : reportOf(f.kind).message;
    }
    if (!f.try_again_in.empty()) message += " Please try again in " + f.try_again_in + ".";
    return message;
}

J codeOf(ErrorKind kind) {
    const char* code = reportOf(kind).code;
    return code ? J(code) : J(nullptr);
}

std::string_view reasonPhrase(int status) {
    switch (status) {
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 402: return "Payment Required";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 429: return "Too Many Requests";
        case 503: return "Service Unavailable";
        default: return "Internal Server Error";
    }
}

std::string_view openRouterType(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::Auth: return "authentication";
        case ErrorKind::RateLimit: return "rate_limit_exceeded";
        case ErrorKind::Quota: return "payment_required";
        case ErrorKind::ContextLength: return "context_length_exceeded";
        case ErrorKind::ContentFilter: return "content_policy_violation";
        case ErrorKind::Model: return "not_found";
        case ErrorKind::Invalid: return "invalid_request";
        case ErrorKind::Overloaded: return "provider_overloaded";
        case ErrorKind::Server: return "provider_unavailable";
        case ErrorKind::Timeout: return "timeout";
    }
    return "unmapped";
}

std::string_view ollamaType(int status) {
    return status == 400 ? "invalid_request_error" : status == 404 ? "not_found_error" : "api_error";
}

std::string_view llamaType(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::Auth: return "authentication_error";
        case ErrorKind::ContextLength: return "exceed_context_size_error";
        case ErrorKind::Model: return "not_found_error";
        case ErrorKind::Invalid: return "invalid_request_error";
        case ErrorKind::Overloaded: return "unavailable_error";
        default: return "server_error";
    }
}

std::string_view xaiCode(ErrorKind kind) {
    if (kind == ErrorKind::Overloaded) return "The service is currently unavailable";
    if (kind == ErrorKind::RateLimit) return "Some resource has been exhausted";
    return "Client specified an invalid argument";
}

constexpr const char* kPerplexity401 =
    "<html><head><title>401 Authorization Required</title></head><body><center><h1>401 Authorization "
    "Required</h1>"
    "</center><hr><center>openresty/1.27.4</center></body></html>\n";

// The object under "error" for the flavours that nest it.
J nested(Flavor flavor, const Failure& f, int status) {
    const auto message = textOf(flavor, f);
    const J type = reportOf(f.kind).type, code = codeOf(f.kind);
    const bool too_long = f.kind == ErrorKind::ContextLength;
    switch (flavor) {
        case Flavor::Groq: return obj({{"message", message}, {"type", type}, {"code", code}});
        case Flavor::OpenRouter:
            return obj({{"code", status},
                        {"message", message},
                        {"metadata", obj({{"error_type", openRouterType(f.kind)},
                                          {"reasons", f.kind == ErrorKind::ContentFilter ? arr({"violence"})
                                                                                         : J::absent()}})}});
        case Flavor::Perplexity: return obj({{"message", message}, {"type", type}, {"code", status}});
        case Flavor::Ollama:
            return obj(
                {{"message", message}, {"type", ollamaType(status)}, {"param", nullptr}, {"code", nullptr}});
        case Flavor::LlamaCpp:
            return obj({{"code", status},
                        {"message", message},
                        {"type", llamaType(f.kind)},
                        {"n_prompt_tokens", too_long ? J(13392) : J::absent()},
                        {"n_ctx", too_long ? J(8192) : J::absent()}});
        case Flavor::Vllm:
            return obj({{"message", message},
                        {"type", status == 404  ? "NotFoundError"
                                 : status < 500 ? "BadRequestError"
                                                : "InternalServerError"},
                        {"param", too_long ? J("input_tokens") : J(nullptr)},
                        {"code", status}});
        default:
            return obj({{"message", message},
                        {"type", type},
                        {"param", too_long ? J("messages") : J(nullptr)},
                        {"code", code}});
    }
}

J mistralError(const Failure& f, int status) {
    if (f.kind == ErrorKind::Auth) return obj({{"detail", "Unauthorized"}});
    const auto message = textOf(Flavor::Mistral, f);
    if (status == 422)
        return obj({{"detail",
                     arr({obj({{"type", "extra_forbidden"}, {"loc", arr({"body"})}, {"msg", message}})})}});
    const bool limited = f.kind == ErrorKind::RateLimit;
    return obj({{"object", "error"},
                {"message", message},
                {"type", limited ? J("rate_limited") : J(reportOf(f.kind).type)},
                {"param", nullptr},
                {"code", limited                           ? "1300"
                         : f.kind == ErrorKind::Overloaded ? "3505"
                                                           : "1500"},
                {"raw_status_code", status}});
}

}  // namespace

int openAiStatus(Flavor flavor, const Failure& f) {
    if (f.status) return *f.status;
    const auto* own = particularOf(flavor, f.kind);
    return own ? own->status : reportOf(f.kind).status;
}

Reply openAiError(const Ask& ask, const Failure& f) {
    const auto flavor = ask.options.flavor;
    const int status = openAiStatus(flavor, f);
    Reply reply{.status = status};
    switch (flavor) {
        case Flavor::Mistral: reply.body = mistralError(f, status).str(); break;
        case Flavor::Nvidia:
            reply.content_type = "application/problem+json";
            reply.body =
                obj({{"status", status}, {"title", reasonPhrase(status)}, {"detail", textOf(flavor, f)}})
                    .str();
            break;
        case Flavor::Xai:
            reply.body = obj({{"code", xaiCode(f.kind)}, {"error", textOf(flavor, f)}}).str();
            break;
        case Flavor::Cerebras:
            reply.body =
                obj({{"message", textOf(flavor, f)},
                     {"type",
                      f.kind == ErrorKind::RateLimit ? "too_many_requests_error" : reportOf(f.kind).type},
                     {"param", f.kind == ErrorKind::RateLimit ? J("quota") : J(nullptr)},
                     {"code", f.kind == ErrorKind::RateLimit ? J("request_quota_exceeded") : codeOf(f.kind)}})
                    .str();
            break;
        case Flavor::LmStudio: reply.body = obj({{"error", textOf(flavor, f)}}).str(); break;
        case Flavor::Together:
            reply.body = obj({{"id", idOf("tg-", ask)}, {"error", nested(flavor, f, status)}}).str();
            break;
        default:
            if (flavor == Flavor::Perplexity && f.kind == ErrorKind::Auth) {
                reply.content_type = "text/html";
                reply.body = kPerplexity401;
            } else if (flavor == Flavor::Vllm && f.kind == ErrorKind::Auth) {
                reply.body = obj({{"error", textOf(flavor, f)}}).str();
            } else {
                reply.body = obj({{"error", nested(flavor, f, status)}}).str();
            }
    }
    return reply;
}

J openAiStreamError(const Ask& ask, const Failure& f) {
    return nested(ask.options.flavor, f, openAiStatus(ask.options.flavor, f));
}

}  // namespace stepper::sim
