#include "tools/provider-sim/step.h"

#include <limits>

#include "tools/provider-sim/strict.h"

namespace stepper::sim {
namespace {

using V = json::Value;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kCentury = 3'155'760'000;  // seconds; a clock of nanoseconds holds no more than three

constexpr std::pair<std::string_view, ErrorKind> kErrors[] = {{"auth", ErrorKind::Auth},
                                                              {"rate_limit", ErrorKind::RateLimit},
                                                              {"quota", ErrorKind::Quota},
                                                              {"context_length", ErrorKind::ContextLength},
                                                              {"content_filter", ErrorKind::ContentFilter},
                                                              {"model", ErrorKind::Model},
                                                              {"invalid", ErrorKind::Invalid},
                                                              {"overloaded", ErrorKind::Overloaded},
                                                              {"server", ErrorKind::Server},
                                                              {"timeout", ErrorKind::Timeout}};
constexpr std::pair<std::string_view, Hang> kHangs[] = {
    {"connect", Hang::Connect}, {"head", Hang::Head}, {"body", Hang::Body}};
constexpr std::pair<std::string_view, Reset> kResets[] = {
    {"before_head", Reset::BeforeHead}, {"mid_head", Reset::MidHead}, {"mid_body", Reset::MidBody}};
constexpr std::pair<std::string_view, Endless> kEndless[] = {{"body", Endless::Body},
                                                             {"headers", Endless::Head}};
constexpr std::pair<std::string_view, Close> kCloses[] = {{"announced", Close::Announced},
                                                          {"silent", Close::Silent}};
constexpr std::pair<std::string_view, LineEnd> kLineEnds[] = {
    {"lf", LineEnd::Lf}, {"crlf", LineEnd::CrLf}, {"cr", LineEnd::Cr}};
constexpr std::pair<std::string_view, bool> kPhases[] = {{"call", false}, {"result", true}};
constexpr std::pair<std::string_view, DateForm> kDateForms[] = {
    {"imf-fixdate", DateForm::ImfFixdate}, {"rfc850", DateForm::Rfc850}, {"asctime", DateForm::Asctime}};

bool readMilliseconds(const V& v, milliseconds& out) {
    int64_t ms = 0;
    if (!readNumber(v, ms, 0, kDayMs)) return false;
    out = milliseconds(ms);
    return true;
}

bool readOptionalText(const V& v, std::optional<std::string>& out) { return readText(v, out.emplace()); }

template <class N>
bool readOptionalNumber(const V& v, std::optional<N>& out, int64_t min, int64_t max) {
    return readNumber(v, out.emplace(), min, max);
}

bool readTrue(const V& v, bool& out) { return v.IsTrue() && (out = true); }

constexpr Member<RetryDate> kDateMembers[] = {
    {"in_s", "seconds from now, at most a century",
     [](const V& v, RetryDate& d) { return readNumber(v, d.in_s, -kCentury, kCentury); }},
    {"as", "'imf-fixdate', 'rfc850' or 'asctime'",
     [](const V& v, RetryDate& d) { return readChoice<DateForm>(v, d.form, kDateForms); }},
};

bool readRetryAfter(const V& v, Content& c) {
    if (v.IsArray()) {
        for (const auto& item : v.GetArray())
            if (!readRetryAfter(item, c)) return false;
        return true;
    }
    if (v.IsObject()) {
        RetryDate date;
        if (!readObject<RetryDate>(v, kDateMembers, date, "retry_after")) return false;
        c.retry_after.emplace_back(date);
        return true;
    }
    if (!v.IsString() && !v.IsNumber()) return false;
    c.retry_after.emplace_back(v.IsString() ? std::string(json::view(v)) : json::dump(v));
    return true;
}

bool readHeaders(const V& v, Headers& out) {
    if (!v.IsObject()) return false;
    for (const auto& h : v.GetObject()) {
        if (!h.value.IsString()) return false;
        out.emplace_back(json::view(h.name), json::view(h.value));
    }
    return true;
}

// null is the format's null, a string itself, anything else its JSON text.
bool readAnswer(const V& v, Content& c) {
    c.null_answer = v.IsNull();
    if (!c.null_answer) c.answer = v.IsString() ? std::string(json::view(v)) : json::dump(v);
    return true;
}

constexpr Member<UsageRule> kUsageMembers[] = {
    {"prompt", "tokens", [](const V& v, UsageRule& u) { return readOptionalNumber(v, u.prompt, -1, kMax); }},
    {"completion", "tokens",
     [](const V& v, UsageRule& u) { return readOptionalNumber(v, u.completion, -1, kMax); }},
    {"reasoning", "tokens",
     [](const V& v, UsageRule& u) { return readOptionalNumber(v, u.reasoning, -1, kMax); }},
};

bool readUsage(const V& v, UsageRule& out) {
    out.absent = v.IsNull();
    return out.absent || readObject<UsageRule>(v, kUsageMembers, out, "usage").ok();
}

constexpr Member<Drip> kDripMembers[] = {
    {"bytes", "a positive number", [](const V& v, Drip& d) { return readNumber(v, d.bytes, 1, 1 << 30); }},
    {"every_ms", "milliseconds", [](const V& v, Drip& d) { return readMilliseconds(v, d.every); }},
};

bool readContentLength(const V& v, Delivery& d) {
    if (v.IsString()) return readOptionalText(v, d.length_text);
    return readOptionalNumber(v, d.length_delta, -(int64_t{1} << 50), int64_t{1} << 50);
}

bool readTruncate(const V& v, Delivery& d) {
    if (!v.IsNumber() || v.GetDouble() < 0 || v.GetDouble() >= 1) return false;
    d.truncate = v.GetDouble();
    return true;
}

constexpr std::string_view kMilliseconds = "milliseconds, at most a day";
constexpr std::string_view kString = "a string";
constexpr std::string_view kTrue = "true";
constexpr std::string_view kCount = "a number of events";
constexpr std::string_view kBytes = "a positive number of bytes";

constexpr Member<Step> kMembers[] = {
    // What is said.
    {"ok", kTrue, [](const V& v, Step&) { return v.IsTrue(); }},
    {"status", "a status from 200 to 599",
     [](const V& v, Step& s) { return readOptionalNumber(v, s.content.status, 200, 599); }},
    {"error",
     "auth, rate_limit, quota, context_length, content_filter, model, invalid, overloaded, server or timeout",
     [](const V& v, Step& s) { return readChoice<ErrorKind>(v, s.content.error.emplace(), kErrors); }},
    {"message", kString, [](const V& v, Step& s) { return readText(v, s.content.message); }},
    {"retry_after", "a string, a number, {\"in_s\",\"as\"} or an array of these",
     [](const V& v, Step& s) { return readRetryAfter(v, s.content); }},
    {"retry_after_ms", kString,
     [](const V& v, Step& s) { return readOptionalText(v, s.content.retry_after_ms); }},
    {"retry_info", kString, [](const V& v, Step& s) { return readText(v, s.content.retry_info); }},
    {"try_again_in", kString, [](const V& v, Step& s) { return readText(v, s.content.try_again_in); }},
    {"headers", "an object of strings",
     [](const V& v, Step& s) { return readHeaders(v, s.content.headers); }},
    {"body", kString, [](const V& v, Step& s) { return readOptionalText(v, s.content.body); }},
    {"content_type", kString, [](const V& v, Step& s) { return readText(v, s.content.content_type); }},
    {"html", kTrue, [](const V& v, Step& s) { return readTrue(v, s.content.html); }},
    {"invalid_json", kTrue, [](const V& v, Step& s) { return readTrue(v, s.content.invalid_json); }},
    {"empty", kTrue, [](const V& v, Step& s) { return readTrue(v, s.content.empty); }},
    {"redirect", kString, [](const V& v, Step& s) { return readText(v, s.content.redirect); }},
    {"answer", "any JSON", [](const V& v, Step& s) { return readAnswer(v, s.content); }},
    {"reasoning", kString, [](const V& v, Step& s) { return readText(v, s.content.reasoning); }},
    {"refusal", kString, [](const V& v, Step& s) { return readText(v, s.content.refusal); }},
    {"finish", kString, [](const V& v, Step& s) { return readText(v, s.content.finish); }},
    {"usage", "null or an object of prompt, completion and reasoning tokens",
     [](const V& v, Step& s) { return readUsage(v, s.content.usage); }},
    {"stream_error_after", kCount,
     [](const V& v, Step& s) { return readOptionalNumber(v, s.content.stream_error_after, 0, kMax); }},
    {"no_done", kTrue, [](const V& v, Step& s) { return readTrue(v, s.content.no_done); }},
    {"on", "'call' or 'result'",
     [](const V& v, Step& s) { return readChoice<bool>(v, s.content.on_result, kPhases); }},
    // How it reaches the client.
    {"delay_ms", kMilliseconds, [](const V& v, Step& s) { return readMilliseconds(v, s.delivery.delay); }},
    {"chunk_delay_ms", kMilliseconds,
     [](const V& v, Step& s) { return readMilliseconds(v, s.delivery.chunk_delay); }},
    {"hang", "'connect', 'head' or 'body'",
     [](const V& v, Step& s) { return readChoice<Hang>(v, s.delivery.hang, kHangs); }},
    {"reset", "'before_head', 'mid_head' or 'mid_body'",
     [](const V& v, Step& s) { return readChoice<Reset>(v, s.delivery.reset, kResets); }},
    {"endless", "'body' or 'headers'",
     [](const V& v, Step& s) { return readChoice<Endless>(v, s.delivery.endless, kEndless); }},
    {"close", "'announced' or 'silent'",
     [](const V& v, Step& s) { return readChoice<Close>(v, s.delivery.close, kCloses); }},
    {"drip", "an object of bytes and every_ms",
     [](const V& v, Step& s) {
         return readObject<Drip>(v, kDripMembers, s.delivery.drip.emplace(), "drip").ok();
     }},
    {"truncate", "a fraction below 1", [](const V& v, Step& s) { return readTruncate(v, s.delivery); }},
    {"content_length", "a difference in bytes, or the header's text",
     [](const V& v, Step& s) { return readContentLength(v, s.delivery); }},
    {"huge", kBytes, [](const V& v, Step& s) { return readNumber(v, s.delivery.huge, 1, kMax); }},
    {"gzip", kTrue, [](const V& v, Step& s) { return readTrue(v, s.delivery.gzip); }},
    {"gzip_bomb", kBytes, [](const V& v, Step& s) { return readNumber(v, s.delivery.gzip_bomb, 1, kMax); }},
    {"encoding", kString, [](const V& v, Step& s) { return readText(v, s.delivery.encoding); }},
    {"stream_cut_after", kCount,
     [](const V& v, Step& s) { return readOptionalNumber(v, s.delivery.cut_after, 0, kMax); }},
    {"line_end", "'lf', 'crlf' or 'cr'",
     [](const V& v, Step& s) { return readChoice<LineEnd>(v, s.delivery.line_end, kLineEnds); }},
    {"bom", kTrue, [](const V& v, Step& s) { return readTrue(v, s.delivery.bom); }},
};

}  // namespace

Result<Step> parseStep(const json::Value& v, std::string_view path) {
    constexpr size_t kLabelBytes = 80;
    Step step;
    if (auto read = readObject<Step>(v, kMembers, step, path); !read) return std::move(read).error();
    const auto text = json::dump(v);
    step.label = text == "{}" ? "ok" : utf8Prefix(text, kLabelBytes);
    return step;
}

ErrorKind errorKindOf(int status) {
    switch (status) {
        case 401:
        case 403: return ErrorKind::Auth;
        case 402: return ErrorKind::Quota;
        case 404: return ErrorKind::Model;
        case 408:
        case 504:
        case 524: return ErrorKind::Timeout;
        case 413: return ErrorKind::ContextLength;
        case 429: return ErrorKind::RateLimit;
        case 503:
        case 529: return ErrorKind::Overloaded;
        default: return status >= 500 ? ErrorKind::Server : ErrorKind::Invalid;
    }
}

}  // namespace stepper::sim
