// Every format but OpenAI's: Gemini, Cohere, Anthropic, Spaces, Gradio, generic.
#include <gtest/gtest.h>

#include "core/base/text.h"
#include "tests/unit/sim/raw_client.h"

namespace stepper::sim {
namespace {

struct FormatsTest : SimTest {
    Received post(std::string_view path, std::string_view body, std::string_view headers = {}) {
        return sim.call("POST", "/p/one" + std::string(path), body, headers);
    }
};

constexpr auto kGemini = R"({"contents":[{"role":"user","parts":[{"text":"ECHO:hello world:ECHO"}]}]})";
constexpr auto kCohere = R"({"model":"c","messages":[{"role":"user","content":"ECHO:hello world:ECHO"}]})";
constexpr auto kCohereStream =
    R"({"model":"c","stream":true,"messages":[{"role":"user","content":"ECHO:hello world:ECHO"}]})";
constexpr auto kAnthropic =
    R"({"model":"c","max_tokens":9,"messages":[{"role":"user","content":"ECHO:hello world:ECHO"}]})";
constexpr auto kAnthropicStream =
    R"({"model":"c","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"ECHO:hello world:ECHO"}]})";
constexpr auto kVersion = "anthropic-version: 2023-06-01\r\n";

TEST_F(FormatsTest, GeminiPlain) {
    const auto body = post("/v1beta/models/gem-1:generateContent", kGemini).json();
    EXPECT_EQ(json::view(*json::at(body, "/candidates/0/content/parts/0/text")), "hello world");
    EXPECT_EQ(json::view(*json::at(body, "/candidates/0/finishReason")), "STOP");
    EXPECT_EQ(json::string(body, "modelVersion"), "gem-1");
    EXPECT_TRUE(json::at(body, "/usageMetadata/totalTokenCount"));
}

TEST_F(FormatsTest, GeminiStreamsAsEventsAndAsAnArray) {
    sim.put("one", R"({"chunk_bytes":4})");
    const auto path = "/v1beta/models/gem-1:streamGenerateContent";
    const auto sse = post(std::string(path) + "?alt=sse", kGemini).body();
    EXPECT_TRUE(sse.ends_with("\r\n\r\n"));
    std::string text;
    const auto events = eventsOf(sse);
    for (const auto& e : events.data) text += json::view(*json::at(e, "/candidates/0/content/parts/0/text"));
    EXPECT_EQ(text, "hello world");
    EXPECT_EQ(json::view(*json::at(events.data.back(), "/candidates/0/finishReason")), "STOP");
    EXPECT_EQ(json::at(events.data.front(), "/candidates/0/finishReason"), nullptr);

    const auto array = post(path, kGemini).json();
    ASSERT_TRUE(array.IsArray());
    EXPECT_EQ(array.Size(), 3u);
}

TEST_F(FormatsTest, GeminiThoughtsAndBlocks) {
    sim.put("one",
            R"({"steps":[{"reasoning":"hm"},{"refusal":"x"},{"finish":"content_filter"},{"answer":null}]})");
    const auto ask = [&] { return post("/v1beta/models/g:generateContent", kGemini).json(); };
    const auto thinking = ask();
    EXPECT_TRUE(json::at(thinking, "/candidates/0/content/parts/0/thought")->GetBool());
    EXPECT_EQ(json::view(*json::at(thinking, "/candidates/0/content/parts/1/text")), "hello world");
    const auto blocked = ask();
    EXPECT_EQ(json::find(blocked, "candidates"), nullptr);
    EXPECT_EQ(json::view(*json::at(blocked, "/promptFeedback/blockReason")), "PROHIBITED_CONTENT");
    const auto filtered = ask();
    EXPECT_EQ(json::view(*json::at(filtered, "/candidates/0/finishReason")), "SAFETY");
    EXPECT_EQ(json::at(filtered, "/candidates/0/content"), nullptr);
    EXPECT_EQ(json::at(ask(), "/candidates/0/content")->MemberCount(), 0u);
}

TEST_F(FormatsTest, GeminiErrors) {
    sim.put(
        "one",
        R"({"key":"k","steps":[{"status":429,"retry_info":"34s","try_again_in":"34.07s"},{"status":503}]})");
    const auto path = "/v1beta/models/g:generateContent";
    const auto auth = post(path, kGemini, "x-goog-api-key: wrong\r\n");
    EXPECT_EQ(auth.status(), 400);
    EXPECT_EQ(json::view(*json::at(auth.json(), "/error/details/0/reason")), "API_KEY_INVALID");
    const auto limited = post(path, kGemini, "x-goog-api-key: k\r\n");
    EXPECT_EQ(limited.status(), 429);
    EXPECT_EQ(json::view(*json::at(limited.json(), "/error/details/0/retryDelay")), "34s");
    EXPECT_EQ(json::view(*json::at(limited.json(), "/error/details/0/@type")),
              "type.googleapis.com/google.rpc.RetryInfo");
    EXPECT_NE(limited.body().find("Please retry in 34.07s."), std::string::npos);
    const auto down = post("/v1beta/models/g:streamGenerateContent?key=k", kGemini).json();
    EXPECT_EQ(json::view(*json::at(down, "/0/error/status")), "UNAVAILABLE");
    const auto twice = post(path, kGemini, "x-goog-api-key: k\r\nAuthorization: Bearer k\r\n");
    EXPECT_NE(twice.body().find("Multiple authentication"), std::string::npos);
}

TEST_F(FormatsTest, CohereV2) {
    sim.put("one", R"({"chunk_bytes":5,"steps":[{"reasoning":"hm"}]})");
    const auto body = post("/v2/chat", kCohere).json();
    EXPECT_EQ(json::view(*json::at(body, "/message/content/0/thinking")), "hm");
    EXPECT_EQ(json::view(*json::at(body, "/message/content/1/text")), "hello world");
    EXPECT_EQ(json::string(body, "finish_reason"), "COMPLETE");
    EXPECT_EQ(json::find(body, "model"), nullptr);
    const auto events = eventsOf(post("/v2/chat", kCohereStream).body());
    EXPECT_EQ(events.names.front(), "message-start");
    EXPECT_EQ(events.names.back(), "message-end");
    std::string text;
    for (const auto& e : events.data)
        if (const auto* piece = json::at(e, "/delta/message/content/text")) text += json::view(*piece);
    EXPECT_EQ(text, "hello world");
    EXPECT_EQ(events.others, std::vector<std::string>{"[DONE]"});
}

TEST_F(FormatsTest, CohereErrors) {
    EXPECT_EQ(post("/v2/chat", R"({"messages":[]})").status(), 400);
    EXPECT_EQ(post("/v2/chat", R"({"model":"m","temperature":1.5,"messages":[]})").status(), 400);
    sim.put(
        "one",
        R"({"steps":[{"error":"content_filter"},{"error":"quota"},{"stream_error_after":2,"error":"timeout"}]})");
    EXPECT_EQ(post("/v2/chat", kCohere).status(), 498);
    EXPECT_NE(post("/v2/chat", kCohere).body().find("1000 API calls / month"), std::string::npos);
    const auto events = eventsOf(post("/v2/chat", kCohereStream).body());
    EXPECT_EQ(json::view(*json::at(events.data.back(), "/delta/finish_reason")), "TIMEOUT");
}

TEST_F(FormatsTest, CohereV1) {
    const auto body = post("/v1/chat", R"({"message":"ECHO:hi:ECHO","preamble":"p"})").json();
    EXPECT_EQ(json::string(body, "text"), "hi");
    const auto reply = post("/v1/chat", R"({"message":"ECHO:hi:ECHO","stream":true})");
    const auto text = reply.body();
    std::vector<std::string> types;
    for (const auto line : splitLines(text))
        if (!line.empty()) types.emplace_back(json::string(parsed(line), "event_type").value_or("?"));
    EXPECT_EQ(types, (std::vector<std::string>{"stream-start", "text-generation", "stream-end"}));
    EXPECT_EQ(post("/v1/chat", "{}").status(), 400);
}

TEST_F(FormatsTest, AnthropicPlainAndStream) {
    sim.put("one", R"({"chunk_bytes":5})");
    const auto body = post("/v1/messages", kAnthropic, kVersion).json();
    EXPECT_EQ(json::view(*json::at(body, "/content/0/text")), "hello world");
    EXPECT_EQ(json::string(body, "stop_reason"), "end_turn");
    const auto events = eventsOf(post("/v1/messages", kAnthropicStream, kVersion).body());
    EXPECT_EQ(events.names.front(), "message_start");
    EXPECT_EQ(events.names.back(), "message_stop");
    std::string text;
    for (const auto& e : events.data)
        if (const auto* piece = json::at(e, "/delta/text")) text += json::view(*piece);
    EXPECT_EQ(text, "hello world");
}

TEST_F(FormatsTest, AnthropicRefusesAndFails) {
    EXPECT_EQ(post("/v1/messages", kAnthropic).status(), 400);
    EXPECT_EQ(post("/v1/messages", R"({"model":"c","messages":[]})", kVersion).status(), 400);
    EXPECT_EQ(post("/v1/messages", R"({"model":"c","max_tokens":1,"temperature":1,"messages":[]})",
                   "anthropic-version: 2026-10-21\r\n")
                  .status(),
              400);
    sim.put("one",
            R"({"key":"k","steps":[{"error":"overloaded"},{"refusal":"no"},{"stream_error_after":0}]})");
    EXPECT_EQ(post("/v1/messages", kAnthropic, kVersion).status(), 401);
    const auto with_key = std::string(kVersion) + "x-api-key: k\r\n";
    EXPECT_EQ(post("/v1/messages", kAnthropic, with_key).status(), 529);
    const auto refused = post("/v1/messages", kAnthropic, with_key).json();
    EXPECT_EQ(json::string(refused, "stop_reason"), "refusal");
    EXPECT_EQ(json::find(refused, "content")->Size(), 0u);
    const auto events = eventsOf(post("/v1/messages", kAnthropicStream, with_key).body());
    EXPECT_EQ(events.names.front(), "error");
    EXPECT_EQ(json::view(*json::at(events.data.front(), "/error/type")), "overloaded_error");
}

TEST_F(FormatsTest, AnthropicRateLimitHeaders) {
    sim.put("one", R"({"quota":{"requests":5,"tokens":1000},"rate_limit_headers":true})");
    const auto reply = post("/v1/messages", kAnthropic, kVersion);
    EXPECT_EQ(reply.header("anthropic-ratelimit-requests-remaining"), "4");
    EXPECT_TRUE(reply.header("anthropic-ratelimit-tokens-reset").ends_with("Z"));
}

TEST_F(FormatsTest, Space) {
    const auto ask = [&] { return post("/api/infer", R"({"prompt":"ECHO:hi:ECHO"})"); };
    EXPECT_EQ(ask().body(), R"({"report":"hi"})");
    EXPECT_EQ(sim.call("GET", "/p/one/health").body(), R"({"status":"ok"})");
    EXPECT_EQ(post("/api/infer", "{}").status(), 422);
    sim.put("one", R"({"space_field":"output","sleep":{"calls":2},"probe":{"status":503}})");
    EXPECT_EQ(ask().header("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(sim.call("GET", "/p/one/health").status(), 503);
    EXPECT_EQ(ask().body(), R"({"output":"hi"})");
    EXPECT_EQ(sim.call("GET", "/p/one/health").body(), R"({"detail":"Service Unavailable"})");
}

struct GradioTest : FormatsTest {
    Received submit(std::string_view prefix = "/gradio_api") {
        return post(std::string(prefix) + "/call/chat", R"({"data":["ECHO:hello world:ECHO"]})");
    }
    Received fetch(const Received& submitted, std::string_view prefix = "/gradio_api") {
        const auto id = std::string(json::string(submitted.json(), "event_id").value_or("none"));
        return sim.call("GET", "/p/one" + std::string(prefix) + "/call/chat/" + id);
    }
};

TEST_F(GradioTest, SubmitsAndFetchesOnce) {
    sim.put("one", R"({"chunk_bytes":6})");
    const auto submitted = submit();
    const auto events = eventsOf(fetch(submitted).body());
    EXPECT_EQ(events.names, (std::vector<std::string>{"heartbeat", "generating", "generating", "complete"}));
    EXPECT_EQ(json::view(events.data[0][0]), "hello ");
    EXPECT_EQ(json::view(events.data[2][0]), "hello world");
    EXPECT_EQ(eventsOf(fetch(submitted).body()).names.back(), "error");
}

TEST_F(GradioTest, VersionDecidesThePrefix) {
    EXPECT_EQ(submit("").status(), 404);
    EXPECT_EQ(json::string(sim.call("GET", "/p/one/config").json(), "api_prefix"), "/gradio_api");
    sim.put("one", R"({"gradio":4})");
    EXPECT_EQ(submit().status(), 404);
    EXPECT_EQ(eventsOf(fetch(submit(""), "").body()).names.back(), "complete");
    EXPECT_FALSE(json::string(sim.call("GET", "/p/one/config").json(), "api_prefix"));
}

TEST_F(GradioTest, FailsOnTheCallOrOnTheResult) {
    sim.put(
        "one",
        R"({"steps":[{"error":"rate_limit"},{"error":"quota","on":"result"},{"no_done":true,"on":"result"}]})");
    const auto full = submit();
    EXPECT_EQ(full.status(), 503);
    EXPECT_NE(full.body().find("Queue is full"), std::string::npos);
    const auto events = eventsOf(fetch(submit()).body());
    EXPECT_EQ(events.names, std::vector<std::string>{"error"});
    EXPECT_EQ(json::string(events.data[0], "title"), "ZeroGPU quota exceeded");
    EXPECT_EQ(eventsOf(fetch(submit()).body()).names.back(), "generating");
}

TEST_F(FormatsTest, Generic) {
    const auto ask = [&] { return post("/generic", R"({"input":{"prompt":"ECHO:hi:ECHO"}})"); };
    EXPECT_EQ(ask().body(), R"({"result":{"text":"hi"},"usage":{"input":3,"output":1}})");
    sim.put("one", R"({"generic_body":{"out":["$ANSWER"]}})");
    EXPECT_EQ(ask().body(), R"({"out":["hi"]})");
}

TEST_F(FormatsTest, UnknownPathIs404) { EXPECT_EQ(post("/nothing/here", "{}").status(), 404); }

}  // namespace
}  // namespace stepper::sim
