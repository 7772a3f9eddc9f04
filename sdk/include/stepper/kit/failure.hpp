// stepper/kit/failure.hpp - from a provider's error response to the class that tells the host what to do.
//
// One table of rules, first match wins: what the body says outranks the status, because 400, 403, 413, 429
// and even 200 each mean several things depending on the provider.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "stepper/kit/error_body.hpp"
#include "stepper/kit/retry_after.hpp"
#include "stepper/kit/text.hpp"
#include "stepper/plugin.hpp"

namespace stepper::kit {

using sdk::Failure;

namespace detail {

// CODE: one of the body's own codes equals one of the patterns, where a leading or trailing '*' stands for
// anything. TEXT: the message in lower case contains one of them, in pieces where there is a '*'.
enum class In { Code, Text };
enum class When {
    Always,
    Request,    // not a 5xx: the request or the account is at fault
    Throttled,  // 402, 413, 429 or unknown
    Size,       // a status in use for a prompt that is too long, and no words of throttling
};
struct Rule {
    In in;
    When when;
    int32_t error_class;
    std::string_view patterns;  // separated by '|'
    bool firm = false;          // QUOTA: stays so although a short wait is stated
};

inline constexpr std::string_view kThrottling =
    "rate limit|too many requests|tokens per min|tokens per day|tpm|tpd|throttl|service unavailable";

inline constexpr Rule kRules[] = {
    // Codes that leave no doubt.
    {In::Code, When::Always, STEPPER_E_CONTEXT_TOO_LONG,
     "context_length_exceeded|exceed_context_size_error|request_too_large|token_limit_exceeded|string_too_"
     "long"},
    {In::Code, When::Always, STEPPER_E_QUOTA,
     "insufficient_quota|credit_balance_exhausted|*spend_limit_*|organization_usage_limit_exceeded|billing_*",
     true},
    {In::Code, When::Always, STEPPER_E_QUOTA, "payment_required"},
    {In::Code, When::Always, STEPPER_E_AUTH,
     "api_key_invalid|invalid_api_key|unsupported_country_region_territory"},
    {In::Code, When::Always, STEPPER_E_CONTENT_BLOCKED,
     "content_policy_violation|content_filter|invalid_prompt|bio_policy|moderation|refusal"},
    {In::Code, When::Always, STEPPER_E_MODEL_NOT_FOUND,
     "model_not_found|model_not_supported|model_decommissioned|invalid_model"},
    {In::Code, When::Always, STEPPER_E_BAD_RESPONSE, "json_validate_failed|tool_use_failed"},
    {In::Code, When::Always, STEPPER_E_RATE_LIMITED, "capacity_exceeded"},
    {In::Code, When::Always, STEPPER_E_OVERLOADED,
     "server_is_overloaded|overloaded_error|provider_overloaded|3505"},
    {In::Code, When::Always, STEPPER_E_UNSUPPORTED, "not_supported_error"},

    // Words.
    {In::Text, When::Request, STEPPER_E_AUTH,
     "incorrect api key|invalid api key|api key not valid|api key expired|user location is not supported"},
    {In::Text, When::Always, STEPPER_E_RATE_LIMITED,
     "gpu quota|queue is full|maximum pending requests exceeded"},
    {In::Text, When::Request, STEPPER_E_QUOTA,
     "insufficient balance|insufficient quota|insufficient credits|out of credits|credit*exhaust|credit*too "
     "low|specified api usage limits|calls / month|calls/month|call / month|call/month|monthly*limit|"
     "monthly*quota|monthly*credits",
     true},
    {In::Text, When::Throttled, STEPPER_E_QUOTA, "limit: 0", true},
    {In::Text, When::Throttled, STEPPER_E_QUOTA,
     "per day|per-day|per_day|daily*limit|daily*quota|(tpd)|(rpd)| tpd| rpd"},
    {In::Code, When::Throttled, STEPPER_E_QUOTA, "*perday*"},
    {In::Text, When::Request, STEPPER_E_INVALID_REQUEST, "too many tokens: max tokens must be"},
    {In::Text, When::Size, STEPPER_E_CONTEXT_TOO_LONG,
     "maximum context length|model's context length|exceeds the context window|context window exceeds limit|"
     "exceed context limit|exceeds the available context size|exceeded max context length|"
     "greater than the context length|n_keep*>= n_ctx|input token count*exceeds the maximum|prompt is too "
     "long|"
     "maximum prompt length is|reduce the length of the messages|too many tokens:|too large for model|"
     "too large to process|token limit exceeded|exceeded model token limit"},
    {In::Text, When::Always, STEPPER_E_UPSTREAM, "degraded function"},
    {In::Text, When::Always, STEPPER_E_OVERLOADED,
     "overloaded|at capacity|capacity exceeded|loading model|model*currently loading|no gpu was available|"
     "gpu task aborted|queue is stopped"},
    {In::Text, When::Always, STEPPER_E_MODEL_NOT_FOUND, "unexpected endpoint or method"},

    // Codes that say less than the words beside them.
    {In::Code, When::Always, STEPPER_E_RATE_LIMITED,
     "rate_limit*|slow_down|ramp_limit_exceeded|too_many_requests*|resource_exhausted"},
    {In::Code, When::Always, STEPPER_E_AUTH, "authentication*|permission_*|unauthenticated"},
    {In::Code, When::Always, STEPPER_E_MODEL_NOT_FOUND, "not_found*|notfounderror"},
    {In::Code, When::Always, STEPPER_E_TIMEOUT, "timeout*|deadline_exceeded"},
    {In::Code, When::Always, STEPPER_E_OVERLOADED,
     "unavailable*|service_unavailable*|the service is currently unavailable"},
};

struct Status {
    int status;
    int32_t error_class;  // what the status alone means
    std::string_view phrase;
};

inline constexpr Status kStatuses[] = {
    {400, STEPPER_E_INVALID_REQUEST, "Bad Request"},
    {401, STEPPER_E_AUTH, "Unauthorized"},
    {402, STEPPER_E_QUOTA, "Payment Required"},
    {403, STEPPER_E_AUTH, "Forbidden"},
    {404, STEPPER_E_MODEL_NOT_FOUND, "Not Found"},
    {405, STEPPER_E_INVALID_REQUEST, "Method Not Allowed"},
    {407, STEPPER_E_AUTH, "Proxy Authentication Required"},
    {408, STEPPER_E_TIMEOUT, "Request Timeout"},
    {409, STEPPER_E_UPSTREAM, "Conflict"},
    {410, STEPPER_E_MODEL_NOT_FOUND, "Gone"},
    {413, STEPPER_E_INVALID_REQUEST, "Payload Too Large"},
    {415, STEPPER_E_INVALID_REQUEST, "Unsupported Media Type"},
    {422, STEPPER_E_INVALID_REQUEST, "Unprocessable Entity"},
    {425, STEPPER_E_RATE_LIMITED, "Too Early"},
    {429, STEPPER_E_RATE_LIMITED, "Too Many Requests"},
    {498, STEPPER_E_CONTENT_BLOCKED, "Invalid Token"},
    {499, STEPPER_E_TIMEOUT, "Client Closed Request"},
    {500, STEPPER_E_UPSTREAM, "Internal Server Error"},
    {501, STEPPER_E_UPSTREAM, "Not Implemented"},
    {502, STEPPER_E_UPSTREAM, "Bad Gateway"},
    {503, STEPPER_E_OVERLOADED, "Service Unavailable"},
    {504, STEPPER_E_TIMEOUT, "Gateway Timeout"},
    {524, STEPPER_E_TIMEOUT, "A Timeout Occurred"},
    {529, STEPPER_E_OVERLOADED, "Site Overloaded"},
};

inline Status aboutStatus(int status) {
    for (const Status& s : kStatuses)
        if (s.status == status) return s;
    if (status >= 500) return {status, STEPPER_E_UPSTREAM, "Server Error"};
    if (status >= 400) return {status, STEPPER_E_INVALID_REQUEST, "Client Error"};
    return {status, STEPPER_E_BAD_RESPONSE, "Unexpected Response"};
}

inline bool hasCode(std::string_view codes, std::string_view pattern) {
    const bool open_start = pattern.starts_with('*'), open_end = pattern.ends_with('*');
    const std::string_view core = pattern.substr(open_start, pattern.size() - open_start - open_end);
    // A code is enclosed in '|', so what is open at an end only lacks the mark there.
    const std::string needle = (open_start ? "" : "|") + std::string(core) + (open_end ? "" : "|");
    return codes.find(needle) != std::string_view::npos;
}

inline bool anyOf(In in, std::string_view patterns, std::string_view codes, std::string_view text) {
    const auto list = split(patterns, "|");
    return std::any_of(list.begin(), list.end(), [&](std::string_view pattern) {
        return in == In::Code ? hasCode(codes, pattern) : contains(text, pattern);
    });
}

// `status` is 0 for an error inside a 2xx that repeats none.
inline bool applies(When when, int status, std::string_view text) {
    constexpr std::array kThrottled = {0, 402, 413, 429};
    constexpr std::array kSizes = {0, 400, 403, 413, 422, 500, 503};
    const auto among = [&](const auto& list) {
        return std::find(list.begin(), list.end(), status) != list.end();
    };
    switch (when) {
        case When::Always: return true;
        case When::Request: return status < 500;
        case When::Throttled: return among(kThrottled);
        case When::Size: return among(kSizes) && !anyOf(In::Text, kThrottling, {}, text);
    }
    return false;
}

inline const Rule* matchRule(int status, std::string_view codes, std::string_view text) {
    for (const Rule& rule : kRules)
        if (applies(rule.when, status, text) && anyOf(rule.in, rule.patterns, codes, text)) return &rule;
    return nullptr;
}

inline bool comesBack(int32_t error_class) {
    return error_class == STEPPER_E_RATE_LIMITED || error_class == STEPPER_E_QUOTA ||
           error_class == STEPPER_E_OVERLOADED || error_class == STEPPER_E_UPSTREAM ||
           error_class == STEPPER_E_TIMEOUT;
}

}  // namespace detail

// The failure an already read error body stands for. `status` is the response's; for an error inside a 2xx
// the status the body repeats counts, if it does.
inline Failure classify(int status, const Headers& headers, const ErrorBody& body) {
    constexpr int64_t kHourMs = 3'600'000;
    const int meant = status < 300 ? body.status : status;
    const detail::Status about = detail::aboutStatus(meant);
    const detail::Rule* rule =
        body.html ? nullptr : detail::matchRule(meant, body.codes, lower(body.message));

    Failure f;
    f.http_status = meant ? meant : status;
    f.provider_code = presentable(body.code, 100);
    f.error_class = about.error_class;
    if (rule)
        f.error_class = rule->error_class;
    else if (meant == 413 && body.message.empty())
        f.error_class = STEPPER_E_CONTEXT_TOO_LONG;
    else if (meant == 0 && detail::hasCode(body.codes, "invalid_*"))
        f.error_class = STEPPER_E_INVALID_REQUEST;
    else if (meant == 0)
        f.error_class = STEPPER_E_UPSTREAM;

    if (detail::comesBack(f.error_class)) f.retry_after_ms = statedDelayMs(headers, body.json, body.message);
    // No window's end fills an account that must be paid.
    const bool limited =
        f.error_class == STEPPER_E_RATE_LIMITED || (f.error_class == STEPPER_E_QUOTA && meant != 402);
    if (limited && f.retry_after_ms < 0) f.retry_after_ms = resetDelayMs(headers, body.json);
    // "Exceeded your quota, retry in 34s" is a rate limit, whatever the provider calls it.
    const bool soft = f.error_class == STEPPER_E_QUOTA && !(rule && rule->firm);
    if (soft && f.retry_after_ms >= 0 && f.retry_after_ms < kHourMs) f.error_class = STEPPER_E_RATE_LIMITED;

    const std::string words = presentable(body.message);
    const std::string start =
        meant ? "HTTP " + std::to_string(meant) + ": " : "the provider answered with an error: ";
    f.message = start + (!words.empty() ? words : meant ? std::string(about.phrase) : "no reason given");
    return f;
}

// The failure a non-2xx response stands for.
inline Failure classify(int status, const Headers& headers, std::string_view body) {
    return classify(status, headers, readErrorBody(body));
}

// True when a 2xx body or stream event is an error in disguise: a non-null top-level `error`, xAI's
// {"code","error"}.
inline bool isErrorBody(const Value& json) {
    const Value* error = find(json, "error");
    return error && !error->IsFalse() && !(error->IsString() && error->GetStringLength() == 0);
}

// That error's failure.
inline Failure classifyInside(int status, const Headers& headers, const Value& json) {
    return classify(status, headers, dump(json));
}

}  // namespace stepper::kit
