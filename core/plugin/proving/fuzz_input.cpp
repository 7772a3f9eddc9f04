#include "core/plugin/proving/fuzz_input.h"

#include <algorithm>

namespace stepper::plugin {
namespace {

constexpr size_t kHugeBytes = 512u << 10, kManyHeaders = 100;

constexpr std::string_view kRequests[] = {
    R"({"model":"m-1","messages":[{"role":"user","content":"hi"}]})",
    R"({"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}],"temperature":0})",
    R"({"messages":[{"role":"user","content":[{"type":"text","text":"what is it?"},)"
    R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}],"max_tokens":1})",
    R"({"messages":[{"role":"user","content":"weather?"},{"role":"assistant","content":null,)"
    R"("tool_calls":[{"id":"c1","type":"function","function":{"name":"w","arguments":"{}"}}]},)"
    R"({"role":"tool","tool_call_id":"c1","content":"rain"}],)"
    R"("tools":[{"type":"function","function":{"name":"w","parameters":{"type":"object"}}}]})",
    R"({"messages":[{"role":"user","content":"JSON"}],"response_format":{"type":"json_schema",)"
    R"("json_schema":{"name":"a","schema":{"type":"object","properties":{"a":{"type":"integer"}}}}}})",
    R"({"messages":[{"role":"user","content":"\u00e4 \ud83d\ude00 \u0000 {{prompt}}"}],"stop":["a","b"]})",
    R"({"messages":[]})",
    R"({})",
};

// As providers answer, whole and in pieces of a stream.
constexpr std::string_view kSamples[] = {
    R"({"id":"r1","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}})",
    R"({"choices":[{"index":0,"delta":{"role":"assistant","content":"o"},"finish_reason":null}]})",
    R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","function":{"name":"w",)"
    R"("arguments":"{\"a\":"}}]}}]})",
    R"({"choices":[{"index":0,"delta":{},"finish_reason":"length"}]})",
    R"([DONE])",
    R"({"error":{"message":"slow down, retry in 7s","type":"rate_limit_error","code":"rate_limit_exceeded"}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"o"}})",
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}})",
    R"({"candidates":[{"content":{"parts":[{"text":"ok"}]},"finishReason":"STOP"}],)"
    R"("usageMetadata":{"promptTokenCount":3,"totalTokenCount":4}})",
    R"({"output":"ok","report":"ok","event_id":"e1","data":["ok"]})",
    "<!doctype html><html><head><title>502</title></head><body>Bad gateway</body></html>",
    "event: message\ndata: {\"text\":\"ok\"}\n\n",
    "null",
};

constexpr std::string_view kKeys[] = {
    "id",     "model",   "choices",    "message",       "content",     "delta",    "text",   "role",
    "error",  "code",    "type",       "finish_reason", "tool_calls",  "function", "name",   "arguments",
    "usage",  "index",   "candidates", "parts",         "status",      "data",     "output", "reasoning",
    "events", "details", "retryDelay", "total_tokens",  "stop_reason", "messages", "",       "\\u0000"};

constexpr std::string_view kScalars[] = {"null",
                                         "true",
                                         "0",
                                         "-1",
                                         "1e308",
                                         "18446744073709551616",
                                         "0.1",
                                         "\"\"",
                                         "\"ok\"",
                                         "\"stop\"",
                                         "\"\\ud83d\\ude00\"",
                                         "\"\\ud83d\"",
                                         "\"<think>\"",
                                         "\"\\u0000\"",
                                         "[]",
                                         "{}"};

constexpr int kStatuses[] = {201, 202, 204, 206, 299, 301, 302, 304, 400, 401, 402, 403,
                             404, 405, 408, 409, 410, 413, 415, 418, 422, 425, 429, 498,
                             499, 500, 501, 502, 503, 504, 524, 529, 599, 600, 999};

constexpr std::string_view kHeaderNames[] = {"retry-after",
                                             "retry-after-ms",
                                             "x-ratelimit-reset-requests",
                                             "x-ratelimit-remaining-tokens",
                                             "location",
                                             "content-encoding",
                                             "x-request-id",
                                             "ratelimit-reset",
                                             "set-cookie",
                                             "x",
                                             "anthropic-ratelimit-requests-reset"};
constexpr std::string_view kHeaderValues[] = {"7",
                                              "",
                                              "-1",
                                              "0.5",
                                              "99999999999999999999999",
                                              "nan",
                                              "1e400",
                                              "soon",
                                              "6m0s",
                                              "1ms",
                                              "Sat, 21 Nov 2026 10:00:07 GMT",
                                              "Fri, 31 Feb 9999 99:99:99 GMT",
                                              "2026-11-21T10:00:07Z",
                                              "gzip",
                                              "\xff\xfe",
                                              "a, b; c=\"d"};
constexpr std::string_view kContentTypes[] = {
    "application/json",   "text/event-stream", "text/html", "application/x-ndjson; charset=utf-8", "",
    "application/json, x"};

constexpr std::string_view kEventNames[] = {
    "",         "",           "",          "message",    "error",        "ping",
    "complete", "generating", "heartbeat", "completion", "message_stop", "content_block_delta",
    "\xff",     "a b"};

}  // namespace

std::string FuzzInput::request() { return std::string(pick(kRequests)); }

int FuzzInput::status() { return chance(60) ? 200 : pick(kStatuses); }

transport::Headers FuzzInput::headers() {
    transport::Headers out = {{"date", "Sat, 21 Nov 2026 10:00:00 GMT"}};
    if (chance(90)) out.emplace_back("content-type", pick(kContentTypes));
    const size_t more = chance(3) ? kManyHeaders : below(4);
    for (size_t i = 0; i < more; ++i)
        out.emplace_back(pick(kHeaderNames),
                         chance(3) ? garbage(below(8'192)) : std::string(pick(kHeaderValues)));
    return out;
}

std::string FuzzInput::body() {
    const size_t kind = below(100);
    if (kind < 35) return sample();
    if (kind < 65) return mutated(sample());
    if (kind < 85) return json(6);
    if (kind < 90) return {};
    if (kind < 98) return garbage(below(2'000));
    return huge();
}

std::string FuzzInput::eventName() { return std::string(pick(kEventNames)); }

std::string FuzzInput::sample() {
    if (!corpus_.empty() && chance(60)) return pick(corpus_);
    return std::string(pick(kSamples));
}

std::string FuzzInput::json(int depth) {
    if (depth == 0 || chance(25)) return std::string(pick(kScalars));
    const bool object = chance(65);
    std::string out(1, object ? '{' : '[');
    for (size_t i = below(5); i > 0; --i) {
        out += object ? member(depth - 1) : json(depth - 1);
        if (i > 1) out += ',';
    }
    return out + (object ? '}' : ']');
}

std::string FuzzInput::member(int depth) { return "\"" + std::string(pick(kKeys)) + "\":" + json(depth); }

std::string FuzzInput::mutated(std::string text) {
    for (size_t i = below(4) + 1; i > 0 && !text.empty(); --i) {
        const size_t at = below(text.size()), length = std::min(below(16) + 1, text.size() - at);
        switch (below(6)) {
            case 0: text[at] = static_cast<char>(random_()); break;
            case 1: text.resize(at); break;
            case 2: text.erase(at, length); break;
            case 3: text.insert(at, text.substr(below(text.size()), length)); break;
            case 4: text.insert(at, pick(kScalars)); break;
            default: text.replace(at, length, json(2)); break;
        }
    }
    return text;
}

std::string FuzzInput::garbage(size_t bytes) {
    std::string out(bytes, '\0');
    const bool text = chance(50);
    for (char& c : out) c = static_cast<char>(text ? 32 + random_() % 95 : random_());
    return out;
}

std::string FuzzInput::huge() {
    constexpr std::string_view kUnits[] = {"a",  "[", "{\"a\":", "\"", "\\u0000", "\xf0\x9f\x98\x80",
                                           "\n", "<", "\xff"};
    const std::string_view unit = pick(kUnits);
    std::string out;
    while (out.size() + unit.size() <= kHugeBytes - 16) out += unit;
    return chance(50) ? out : "{\"content\":\"" + out + "\"}";
}

}  // namespace stepper::plugin
