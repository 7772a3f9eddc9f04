#include "tools/provider-sim/render.h"

#include <algorithm>

#include "tools/provider-sim/retry_date.h"

namespace stepper::sim {
namespace {

constexpr std::string_view kReport =
    R"({"title":"Auth: Add token refresh to the session layer","summary":"This commit adds token refresh so that )"
    R"(sessions survive expiry. The middleware now renews tokens before they lapse.","changes":["Added refreshToken() )"
    R"(to src/auth.ts","Removed the deprecated session handler"],"rationale":"Users were logged out during active )"
    R"(sessions because tokens were never renewed.","impact_and_tests":"Observed impact: login flow. Recommended )"
    R"(validation: unit tests for refreshToken().","next_steps":["Add integration tests for token refresh"],)"
    R"("tags":"auth, bugfix"})";

constexpr std::string_view kHtmlBegin =
    "<!DOCTYPE html>\n<html><head><title>Not an API answer</title></head>\n<body><h1>";
constexpr std::string_view kHtmlEnd =
    "</h1><p>The application is starting or out of order.</p></body></html>\n";

Reply htmlPage(int status) {
    return {.status = status,
            .content_type = "text/html; charset=utf-8",
            .body = std::string(kHtmlBegin).append(std::to_string(status)).append(kHtmlEnd)};
}

std::optional<Usage> usageOf(const Ask& ask, const Answer& a, const UsageRule& rule) {
    if (rule.absent) return std::nullopt;
    const auto& said = a.refusal.empty() ? a.text.value_or("") : a.refusal;
    return Usage{.prompt = rule.prompt.value_or(tokensOf(ask.prompt)),
                 .completion = rule.completion.value_or(tokensOf(said)),
                 .reasoning = rule.reasoning.value_or(a.reasoning.empty() ? 0 : tokensOf(a.reasoning))};
}

Answer answerOf(const Ask& ask, const Behaviour& b, const Content& c) {
    Answer a{.reasoning = c.reasoning, .refusal = c.refusal};
    if (c.answer)
        a.text = c.answer;
    else if (!c.null_answer)
        a.text = b.answer ? *b.answer : defaultAnswer(ask.prompt);
    if (!c.finish.empty()) a.finish = c.finish;
    a.usage = usageOf(ask, a, c.usage);
    return a;
}

Failure failureOf(const Content& c) {
    return {.kind = c.error ? *c.error : errorKindOf(c.status.value_or(500)),
            .status = c.status,
            .message = c.message,
            .retry_info = c.retry_info,
            .try_again_in = c.try_again_in};
}

void addRetryHeaders(Reply& reply, const Content& c, WallTime now) {
    for (const auto& value : c.retry_after) {
        if (const auto* date = std::get_if<RetryDate>(&value))
            reply.headers.emplace_back("Retry-After",
                                       httpDate(now + std::chrono::seconds(date->in_s), date->form));
        else
            reply.headers.emplace_back("Retry-After", std::get<std::string>(value));
    }
    if (c.retry_after_ms) reply.headers.emplace_back("retry-after-ms", *c.retry_after_ms);
}

// Breaks the JSON: half of a body, or one event of a stream.
void breakJson(Reply& reply) {
    if (reply.isStream())
        reply.events[reply.events.size() / 2] = "data: {\"broken\":\n\n";
    else
        reply.body.resize(reply.body.size() / 2);
}

void applyContent(Reply& reply, const Content& c, const Format& format, const Ask& ask) {
    if (c.status && !c.fails()) reply.status = *c.status;
    if (!c.content_type.empty()) reply.content_type = c.content_type;
    reply.headers.insert(reply.headers.end(), c.headers.begin(), c.headers.end());
    if (c.invalid_json) breakJson(reply);
    if (reply.isStream() && c.stream_error_after) {
        reply.events.resize(std::min(reply.events.size(), *c.stream_error_after));
        reply.events.push_back(format.streamError(ask, {.kind = c.error.value_or(ErrorKind::Overloaded),
                                                        .message = c.message,
                                                        .retry_info = c.retry_info,
                                                        .try_again_in = c.try_again_in}));
    }
    if (c.no_done) reply.done.clear();
    if (c.empty || reply.status == 204 || reply.status == 304) {
        reply.body.clear();
        reply.events.clear();
    }
}

}  // namespace

int64_t tokensOf(std::string_view text) {
    return std::max<int64_t>(1, static_cast<int64_t>(text.size() / 4));
}

std::string defaultAnswer(std::string_view prompt) {
    constexpr std::string_view kOpen = "ECHO:", kClose = ":ECHO";
    const auto end = prompt.rfind(kClose);
    if (end != std::string_view::npos && end >= kOpen.size())
        if (const auto begin = prompt.rfind(kOpen, end - kOpen.size()); begin != std::string_view::npos)
            return std::string(prompt.substr(begin + kOpen.size(), end - begin - kOpen.size()));
    const auto asks = [&](std::string_view key) { return prompt.find(key) != std::string_view::npos; };
    if (asks("impact_and_tests") && asks("next_steps")) return std::string(kReport);
    return R"({"product":"Coffee beans","price":18})";
}

Rendered render(const Format& format, const Ask& ask, const Behaviour& behaviour, const Content& c,
                const Allowances& allowances, WallTime now) {
    Rendered out;
    // An error after the first events is part of an answer that began well.
    const bool fails = c.fails() && !c.stream_error_after;
    if (c.body) {
        out.reply = {.status = c.status.value_or(200), .body = *c.body};
    } else if (!c.redirect.empty()) {
        out.reply = {
            .status = c.status.value_or(302), .content_type = "", .headers = {{"Location", c.redirect}}};
    } else if (c.html) {
        out.reply = htmlPage(c.status.value_or(200));
    } else if (fails) {
        out.reply = format.failure(ask, failureOf(c));
    } else {
        const auto answer = answerOf(ask, behaviour, c);
        out.reply = format.answer(ask, answer);
        if (ask.kind == Ask::Kind::Generate)
            out.completion_tokens = answer.usage ? answer.usage->completion : 0;
    }
    applyContent(out.reply, c, format, ask);
    addRetryHeaders(out.reply, c, now);
    if (behaviour.rate_limit_headers) {
        auto limits = format.rateLimits(ask, allowances, now);
        out.reply.headers.insert(out.reply.headers.end(), limits.begin(), limits.end());
    }
    return out;
}

}  // namespace stepper::sim
