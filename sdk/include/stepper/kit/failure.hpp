// stepper/kit/failure.hpp - from a provider's error response to the class that tells the host what to do.
//
// What the body says (refusals.hpp) outranks the status, because 400, 403, 413, 429 and even 200 each mean
// several things depending on the provider.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "stepper/kit/error_body.hpp"
#include "stepper/kit/refusals.hpp"
#include "stepper/kit/retry_after.hpp"
#include "stepper/kit/text.hpp"
#include "stepper/plugin.hpp"

namespace stepper::kit {

using sdk::Failure;

namespace detail {

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
    {413, STEPPER_E_CONTEXT_TOO_LONG, "Payload Too Large"},
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

// How far a wildcard may reach from the start of `s`: '~' over one word, '*' over the rest of a sentence.
inline size_t reachOf(char wildcard, std::string_view s) {
    constexpr size_t kFarthest = 100;
    const std::string_view near = s.substr(0, kFarthest);
    if (wildcard == '~') return std::min(near.find_first_of(" \t\n"), near.size());
    return std::min({near.find(". "), near.find('\n'), near.size()});
}

inline bool startsWithWords(std::string_view s, std::string_view pattern) {
    const size_t wildcard = pattern.find_first_of("*~");
    if (!s.starts_with(pattern.substr(0, wildcard))) return false;
    if (wildcard == std::string_view::npos) return true;
    s.remove_prefix(wildcard);
    const std::string_view rest = pattern.substr(wildcard + 1);
    for (size_t gap = 0, end = reachOf(pattern[wildcard], s); gap <= end; ++gap)
        if (startsWithWords(s.substr(gap), rest)) return true;
    return false;
}

inline bool says(std::string_view text, std::string_view pattern) {
    for (size_t i = 0; i < text.size(); ++i)
        if (text[i] == pattern.front() && startsWithWords(text.substr(i), pattern)) return true;
    return false;
}

// The first number told after `word`: 30000 for "limit" in "for limit gpt-4: Limit: 30,000". -1 for none.
inline double numberAfter(std::string_view text, std::string_view word) {
    for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        size_t i = at + word.size();
        while (i < text.size() && (text[i] == ':' || text[i] == ' ' || text[i] == '=')) ++i;
        std::string digits;
        for (; i < text.size(); ++i) {
            const bool inside = i + 1 < text.size() && isDigit(text[i + 1]) && !digits.empty();
            if (!isDigit(text[i]) && !(inside && (text[i] == ',' || text[i] == '.'))) break;
            if (text[i] != ',') digits += text[i];
        }
        if (i < text.size() && isAlpha(text[i])) continue;  // "1.5M" is no 1.5
        double value = 0;
        if (wholeNumber(digits, value)) return value;
    }
    return -1;
}

// What the provider quotes of the request is not its own word: "Invalid value: 'try again in 5s'".
inline std::string withoutQuotations(std::string_view text) {
    constexpr std::array<std::string_view, 7> kLeads = {"value", "got",    "received",    "string",
                                                        "input", "prompt", "unknown name"};
    const auto opensQuotation = [&](size_t i) {
        if ((text[i] != '\'' && text[i] != '"') || i == 0 || (text[i - 1] != ' ' && text[i - 1] != ':'))
            return false;
        const std::string_view before = text.substr(0, text.find_last_not_of(": ", i - 1) + 1);
        return std::any_of(kLeads.begin(), kLeads.end(), [&](auto lead) { return before.ends_with(lead); });
    };
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        out += text[i];
        if (opensQuotation(i)) i = std::min(text.find(text[i], i + 1), text.size() - 1);
    }
    return out;
}

// A message as rules are compared with it: lower case, plain apostrophes, and no longer than words are.
inline std::string comparable(std::string_view message) {
    constexpr std::string_view kApostrophe = "\u2019";
    constexpr size_t kLongest = 4'096;
    std::string text = lower(message.substr(0, kLongest));
    for (size_t i = 0; (i = text.find(kApostrophe, i)) != std::string::npos; ++i)
        text.replace(i, kApostrophe.size(), "'");
    return withoutQuotations(text);
}

// What a response says, in the form rules are compared with.
struct Words {
    int status;              // 0 for an error inside a 2xx that repeats none
    std::string_view codes;  // "|a|b|"
    std::string text;        // comparable()
};

inline bool matches(refusals::In in, std::string_view patterns, const Words& words) {
    using refusals::In;
    const auto list = split(patterns, "|");
    switch (in) {
        case In::Code:
            return std::any_of(list.begin(), list.end(), [&](auto p) { return hasCode(words.codes, p); });
        case In::Text:
            return std::any_of(list.begin(), list.end(), [&](auto p) { return says(words.text, p); });
        case In::None: return numberAfter(words.text, list[0]) == 0;
        case In::Over: {
            const double limit = numberAfter(words.text, list[0]);
            return limit >= 0 && numberAfter(words.text, list[1]) > limit;
        }
    }
    return false;
}

inline bool applies(refusals::When when, const Words& words) {
    using refusals::When;
    constexpr std::array kThrottled = {0, 402, 413, 429};
    constexpr std::array kSizes = {0, 400, 403, 413, 422, 500, 502, 503};
    constexpr std::array kNotJudged = {401, 402, 408, 429};
    const auto among = [&](const auto& list) {
        return std::find(list.begin(), list.end(), words.status) != list.end();
    };
    switch (when) {
        case When::Always: return true;
        case When::Client: return words.status < 500;
        case When::Content: return !among(kNotJudged);
        case When::Throttled: return among(kThrottled);
        case When::Size: return among(kSizes) && !matches(refusals::In::Text, refusals::kThrottling, words);
        case When::Busy:
            return words.status == 0 || words.status == 408 || words.status == 429 || words.status >= 500;
    }
    return false;
}

inline const refusals::Rule* matchRule(const Words& words) {
    for (const refusals::Rule& rule : refusals::kRules)
        if (applies(rule.when, words) && matches(rule.in, rule.words, words)) return &rule;
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
    const refusals::Rule* rule =
        body.html ? nullptr : detail::matchRule({meant, body.codes, detail::comparable(body.message)});

    Failure f;
    f.http_status = meant ? meant : status;
    f.provider_code = presentable(body.code, 100);
    f.error_class = about.error_class;
    if (rule)
        f.error_class = rule->error_class;
    else if (meant == 0 && detail::hasCode(body.codes, "invalid_*"))
        f.error_class = STEPPER_E_INVALID_REQUEST;
    else if (meant == 0)
        f.error_class = STEPPER_E_UPSTREAM;

    if (detail::comesBack(f.error_class)) f.retry_after_ms = statedDelayMs(headers, body.json, body.message);
    // No window's end fills an account that must be paid.
    const bool limited =
        f.error_class == STEPPER_E_RATE_LIMITED || (f.error_class == STEPPER_E_QUOTA && meant != 402);
    if (limited && f.retry_after_ms < 0) f.retry_after_ms = resetDelayMs(headers, body.json);
    // "Exceeded your quota, retry in 34s" is a rate limit, whatever the provider calls it; but no seconds
    // fill an empty account, and who believed them would come back for ever.
    if (f.error_class == STEPPER_E_QUOTA && f.retry_after_ms >= 0 && f.retry_after_ms < kHourMs) {
        if (rule && rule->firm)
            f.retry_after_ms = kNoDelay;
        else
            f.error_class = STEPPER_E_RATE_LIMITED;
    }

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
// {"code","error"}, vLLM's {"object":"error"}, MiniMax's {"base_resp":{"status_code":1008}}.
inline bool isErrorBody(const Value& json) {
    if (string(json, "object") == "error") return true;
    const Value* base = object(json, "base_resp");
    if (base && integer(*base, "status_code").value_or(0) != 0) return true;
    const Value* error = find(json, "error");
    return error && !error->IsFalse() && !(error->IsString() && error->GetStringLength() == 0);
}

// That error's failure.
inline Failure classifyInside(int status, const Headers& headers, const Value& json) {
    return classify(status, headers, dump(json));
}

}  // namespace stepper::kit
