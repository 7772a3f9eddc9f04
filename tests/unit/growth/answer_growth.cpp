// What providers send: answers, streams, tool calls, errors.
#include <filesystem>
#include <map>

#include <unistd.h>

#include "core/output/validate.h"
#include "core/plugin/abi/collector.h"
#include "core/report/answer.h"
#include "core/transport/framer.h"
#include "stepper/kit/error_body.hpp"
#include "stepper/kit/failure.hpp"
#include "stepper/kit/think.hpp"
#include "tests/unit/growth/growth.h"

namespace stepper::growth {
namespace {

std::string number(size_t i) { return std::to_string(i); }

Row extracting(std::string dimension, size_t size, std::string piece, std::string before = {}) {
    return {std::move(dimension), size,
            [piece = std::move(piece), before = std::move(before)](size_t n) -> Work {
                return [text = before + repeated(piece, n)] {
                    static_cast<void>(output::process(text, output::Mode::Json, nullptr, "stop"));
                };
            }};
}

const Rows kAnswers = {
    extracting("Words", 100'000, "word "),
    extracting("OpenBrackets", 400'000, "["),
    extracting("OpenBraces", 400'000, "{"),
    extracting("Members", 40'000, R"({"a":)"),
    extracting("MembersOfLists", 40'000, R"([{"a":)"),
    extracting("Objects", 20'000, R"({"a":1} )"),
    extracting("EmptyObjects", 100'000, "{} "),
    extracting("Citations", 40'000, "[1], "),
    extracting("BareNames", 40'000, "{a: "),
    extracting("BareNamesFarFromTheirColons", 10'000, "{a      "),
    extracting("BrokenObjects", 20'000, R"({"a":1 "b"} )"),
    extracting("BrokenObjectsWithoutEnd", 20'000, R"({"a":1 "b")"),
    extracting("Fences", 40'000, "```\n"),
    extracting("FencesWithLabels", 40'000, "```json\n{"),
    extracting("Ticks", 400'000, "`"),
    extracting("Tildes", 100'000, "~ ~~~"),
    extracting("Comments", 40'000, "[/*"),
    extracting("LineComments", 40'000, "[//"),
    extracting("Quotes", 100'000, "\"", "{"),
    extracting("SingleQuotes", 40'000, "{'"),
    extracting("Backslashes", 200'000, "\\", R"({"a":")"),
    extracting("Blanks", 400'000, " ", "[1"),
    extracting("BlanksInFront", 40'000, "  [1, 2] "),
    extracting("Emphasis", 40'000, "** [1] **"),
    extracting("Digits", 400'000, "1", "["),
    extracting("Literals", 200'000, "t", "["),
    extracting("ForeignBlanks", 100'000, "\xE3\x80\x80", "["),
    {"MembersOfAReport", 20'000,
     [](size_t n) -> Work {
         return [text = R"({"title":"a title of some length","changes":[)" +
                        joined(n, [](size_t) { return "\"\""; }) +
                        "]}"] { static_cast<void>(output::processAs(report::check, text, "stop")); };
     }},
    {"TagsOfAReport", 40'000,
     [](size_t n) -> Work {
         return [text = R"({"tags":")" + repeated("a,", n) + "\"}"] {
             static_cast<void>(output::processAs(report::check, text, "stop"));
         };
     }},
};
STEPPER_GROWTH_ROWS(AnswerWith, kAnswers);

// `size` bytes of a text, given whole or byte by byte.
Row thinking(std::string dimension, size_t size, std::string piece, std::string before = {}) {
    return {std::move(dimension), size,
            [piece = std::move(piece), before = std::move(before)](size_t n) -> Work {
                return [text = before + repeated(piece, n / piece.size())] {
                    kit::ThinkStripper whole, bytewise;
                    whole.feed(text);
                    whole.finish();
                    for (const char c : text) bytewise.feed({&c, 1});
                    bytewise.finish();
                };
            }};
}

const Rows kReasoning = {
    thinking("Words", 40'000, "word "),
    thinking("Marks", 40'000, "<think>"),
    thinking("MarksThatEnd", 40'000, "</think>"),
    thinking("HalfMarks", 40'000, "<thin"),
    thinking("Angles", 40'000, "<"),
    thinking("Blanks", 40'000, " "),
    thinking("BlanksBehindAMark", 40'000, " ", "<think>"),
    thinking("BlanksBehindABlock", 40'000, " ", "<think>a</think>"),
    thinking("Headers", 20'000, "<|channel|>analysis"),
    thinking("Lines", 40'000, "\n<think>\n"),
};
STEPPER_GROWTH_ROWS(ReasoningWith, kReasoning);

Row framing(std::string dimension, size_t size, transport::BodyMode mode, std::string piece, size_t chunk,
            std::string before = {}) {
    return {std::move(dimension), size,
            [mode, chunk, piece = std::move(piece), before = std::move(before)](size_t n) -> Work {
                return [mode, chunk, body = before + repeated(piece, n / piece.size())] {
                    transport::Framer framer(mode);
                    const auto drain = [&] {
                        for (auto frame = framer.next(); frame && *frame; frame = framer.next()) {
                        }
                    };
                    for (std::string_view rest = body; !rest.empty();) {
                        framer.feed(rest.substr(0, chunk));
                        rest.remove_prefix(std::min(chunk, rest.size()));
                        drain();
                    }
                    framer.finish();
                    drain();
                };
            }};
}

using transport::BodyMode;
const Rows kStreams = {
    framing("Events", 200'000, BodyMode::Sse, "data: {}\n\n", 1 << 14),
    framing("EventsInTinyChunks", 40'000, BodyMode::Sse, "data: {}\n\n", 1),
    framing("LinesOfOneEvent", 80'000, BodyMode::Sse, "data: a\n", 16),
    framing("OneLongEvent", 80'000, BodyMode::Sse, "a", 1, "data: "),
    framing("BlanksBeforeEvents", 80'000, BodyMode::Sse, " ", 4),
    framing("LineEndsBeforeEvents", 80'000, BodyMode::Sse, "\r\n", 4),
    framing("ADocumentInPlaceOfEvents", 200'000, BodyMode::Sse, "{", 16),
    framing("Lines", 200'000, BodyMode::Lines, "{}\n", 16),
    framing("EmptyLines", 200'000, BodyMode::Lines, "\n", 16),
    framing("OneLongLine", 200'000, BodyMode::Lines, "a", 4),
    framing("BytesOfAWhole", 200'000, BodyMode::Whole, "a", 4),
    framing("RawBytes", 200'000, BodyMode::Raw, "a", 4),
};
STEPPER_GROWTH_ROWS(StreamOf, kStreams);

std::shared_ptr<const plugin::Provider> providerOf(const std::string& kind) {
    static std::map<std::string, std::shared_ptr<const plugin::Provider>> known;
    auto& provider = known[kind];
    if (provider) return provider;
    plugin::LoadOptions options;
    options.copies_dir = testing::TempDir() + "stepper-growth-" + std::to_string(::getpid());
    auto image = plugin::PluginImage::load(std::filesystem::path(PLUGINS) / (kind + ".so"), options);
    EXPECT_TRUE(image) << image.error().message;
    provider = plugin::Provider::create(*image, R"({"base_url":"http://a/v1","model":"m"})").value();
    std::filesystem::remove_all(options.copies_dir);
    return provider;
}

// The events of a stream, read by the plugin and collected.
Row streaming(std::string dimension, size_t size, std::function<std::string(size_t)> event,
              const char* kind = "openai-compatible") {
    return {std::move(dimension), size, [event = std::move(event), kind](size_t n) -> Work {
                std::vector<std::string> events;
                for (size_t i = 0; i < n; ++i) events.push_back(event(i));
                return [provider = providerOf(kind), events = std::move(events)] {
                    auto session = provider->begin(
                        plugin::Purpose::Generate,
                        R"({"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]})");
                    ASSERT_TRUE(session);
                    plugin::Collector out;
                    static_cast<void>(session->start(out));
                    static_cast<void>(session->head(200, {{"content-type", "text/event-stream"}}, out));
                    for (const auto& one : events) static_cast<void>(session->data(one, {}, out));
                    static_cast<void>(session->data("[DONE]", {}, out));
                    static_cast<void>(session->end(out));
                };
            }};
}

std::string delta(const std::string& inside) {
    return R"({"choices":[{"index":0,"delta":{)" + inside + "}}]}";
}

const Rows kToolCalls = {
    streaming("Texts", 2'000, [](size_t) { return delta(R"("content":"word ")"); }),
    streaming("Reasonings", 2'000, [](size_t) { return delta(R"("reasoning_content":"word ")"); }),
    streaming("ToolCalls", 8'000,
              [](size_t i) {
                  return delta(R"("tool_calls":[{"index":)" + number(i) + R"(,"id":"c)" + number(i) +
                               R"(","function":{"name":"f","arguments":"{}"}}])");
              }),
    streaming("ArgumentsOfOneToolCall", 4'000,
              [](size_t i) {
                  return delta(R"("tool_calls":[{"index":0,"id":")" + std::string(i == 0 ? "c" : "") +
                               R"(","function":{"name":"f","arguments":"some"}}])");
              }),
    streaming("ToolCallsWithoutIndex", 4'000,
              [](size_t i) {
                  return delta(R"("tool_calls":[{"id":"c)" + number(i) +
                               R"(","function":{"name":"f","arguments":"{}"}}])");
              }),
    streaming("Usages", 2'000, [](size_t) { return std::string(R"({"usage":{"prompt_tokens":1}})"); }),
    {"FragmentsOfToolCallsInOneEvent", 8'000,
     [](size_t n) {
         const auto fragment = [](size_t i) {
             return R"({"index":)" + number(i) + R"(,"id":"c","function":{}})";
         };
         const std::string event = delta(R"("tool_calls":[)" + joined(n, fragment) + "]");
         return streaming("", 0, [event](size_t) { return event; }).build(1);
     }},
};
STEPPER_GROWTH_ROWS(ChatStreamOf, kToolCalls);

Row anthropic(std::string dimension, size_t size, std::function<std::string(size_t)> event) {
    return streaming(std::move(dimension), size, std::move(event), "anthropic");
}

const Rows kAnthropic = {
    anthropic(
        "Texts", 4'000,
        [](size_t) {
            return R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}})";
        }),
    anthropic("ToolCalls", 8'000,
              [](size_t i) {
                  return R"({"type":"content_block_start","index":)" + number(i) +
                         R"(,"content_block":{"type":"tool_use","id":"t)" + number(i) +
                         R"(","name":"f","input":{}}})";
              }),
    anthropic(
        "ArgumentsOfOneToolCall", 4'000,
        [](size_t i) -> std::string {
            if (i == 0)
                return R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}})";
            return R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"some"}})";
        }),
    anthropic("ArgumentsOfAlternatingToolCalls", 8'000,
              [](size_t i) {
                  return R"({"type":"content_block_delta","index":)" + number(i % 1'000) +
                         R"(,"delta":{"type":"input_json_delta","partial_json":"some"}})";
              }),
};
STEPPER_GROWTH_ROWS(AnthropicStreamOf, kAnthropic);

const Rows kGemini = {
    streaming(
        "Texts", 4'000, [](size_t) { return R"({"candidates":[{"content":{"parts":[{"text":"word "}]}}]})"; },
        "gemini"),
    streaming(
        "ToolCalls", 8'000,
        [](size_t i) {
            return R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f)" + number(i) +
                   R"(","args":{}}}]}}]})";
        },
        "gemini"),
    {"PartsOfOneEvent", 8'000,
     [](size_t n) {
         const std::string event =
             R"({"candidates":[{"content":{"parts":[)" +
             joined(n, [](size_t) { return R"({"functionCall":{"name":"f","args":{}}})"; }) + "]}}]}";
         return streaming(
                    "", 0, [event](size_t) { return event; }, "gemini")
             .build(1);
     }},
};
STEPPER_GROWTH_ROWS(GeminiStreamOf, kGemini);

const Rows kCohere = {
    streaming(
        "Texts", 4'000,
        [](size_t) {
            return R"({"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"word "}}}})";
        },
        "cohere"),
    streaming(
        "ToolCalls", 8'000,
        [](size_t i) {
            return R"({"type":"tool-call-start","index":)" + number(i) +
                   R"(,"delta":{"message":{"tool_calls":{"id":"t)" + number(i) +
                   R"(","type":"function","function":{"name":"f","arguments":""}}}}})";
        },
        "cohere"),
    streaming(
        "ArgumentsOfOneToolCall", 4'000,
        [](size_t) {
            return R"({"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"some"}}}}})";
        },
        "cohere"),
};
STEPPER_GROWTH_ROWS(CohereStreamOf, kCohere);

Row failing(std::string dimension, size_t size, std::function<std::string(size_t)> body) {
    return {std::move(dimension), size, [body = std::move(body)](size_t n) -> Work {
                return [text = body(n)] {
                    const kit::ErrorBody error = kit::readErrorBody(text);
                    static_cast<void>(kit::classify(400, {}, error));
                    static_cast<void>(kit::presentable(text));
                };
            }};
}

const Rows kErrors = {
    failing("Words", 20'000, [](size_t n) { return repeated("word ", n); }),
    failing("Tags", 40'000, [](size_t n) { return "<" + repeated("<a", n); }),
    failing("Scripts", 20'000, [](size_t n) { return repeated("<script", n); }),
    failing("ScriptsThatEnd", 20'000, [](size_t n) { return repeated("<script></script", n); }),
    failing(
        "Members", 20'000,
        [](size_t n) { return "{" + joined(n, [](size_t i) { return "\"k" + number(i) + "\":{}"; }) + "}"; }),
    failing("Details", 20'000,
            [](size_t n) {
                return R"({"error":{"message":"m","details":[)" +
                       joined(n, [](size_t) { return R"({"reason":"r"})"; }) + "]}}";
            }),
    failing("Escapes", 40'000, [](size_t n) { return R"({"error":")" + repeated(R"(\ud800)", n) + "\"}"; }),
};
STEPPER_GROWTH_ROWS(ErrorWith, kErrors);

}  // namespace
}  // namespace stepper::growth
