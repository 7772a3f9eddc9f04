// OpenAI's format and the flavours of it.
#include <gtest/gtest.h>

#include "tests/unit/sim/raw_client.h"

namespace stepper::sim {
namespace {

struct OpenAiTest : SimTest {
    Received ask(std::string_view behaviour, std::string_view extra = {}, std::string_view headers = {}) {
        sim.put("one", behaviour);
        const auto body = R"({"model":"m","messages":[{"role":"system","content":"terse"},)"
                          R"({"role":"user","content":[{"type":"text","text":"ECHO:hé llo:ECHO"}]}])" +
                          std::string(extra) + "}";
        return sim.call("POST", "/p/one/v1/chat/completions", body, headers);
    }
    Received stream(std::string_view behaviour) {
        return ask(behaviour, R"(,"stream":true,"stream_options":{"include_usage":true})");
    }
    static std::string textOf(const Events& events, std::string_view field = "content") {
        std::string out;
        for (const auto& e : events.data)
            if (const auto* delta = json::at(e, "/choices/0/delta"))
                out += json::string(*delta, field).value_or("");
        return out;
    }
};

TEST_F(OpenAiTest, Plain) {
    const auto reply = ask("{}");
    EXPECT_EQ(reply.status(), 200);
    const auto body = reply.json();
    EXPECT_EQ(json::view(*json::at(body, "/choices/0/message/content")), "hé llo");
    EXPECT_EQ(json::view(*json::at(body, "/choices/0/finish_reason")), "stop");
    EXPECT_EQ(json::string(body, "model"), "m");
    EXPECT_TRUE(json::at(body, "/choices/0/message/refusal")->IsNull());
    const int64_t prompt = json::at(body, "/usage/prompt_tokens")->GetInt64();
    EXPECT_GT(prompt, 0);
    EXPECT_EQ(json::at(body, "/usage/total_tokens")->GetInt64(),
              prompt + json::at(body, "/usage/completion_tokens")->GetInt64());
}

TEST_F(OpenAiTest, Stream) {
    const auto reply = stream(R"({"chunk_bytes":2})");
    EXPECT_EQ(reply.header("content-type"), "text/event-stream");
    const auto events = eventsOf(reply.body());
    EXPECT_EQ(textOf(events), "hé llo");
    EXPECT_EQ(events.others, std::vector<std::string>{"[DONE]"});
    const auto& last = events.data.back();
    EXPECT_EQ(json::find(last, "choices")->Size(), 0u);
    EXPECT_TRUE(json::at(last, "/usage/total_tokens")->IsInt64());
    EXPECT_TRUE(json::find(events.data.front(), "usage")->IsNull());
}

TEST_F(OpenAiTest, ContentVariants) {
    const auto refused = ask(R"({"steps":[{"refusal":"I can't"}]})").json();
    EXPECT_TRUE(json::at(refused, "/choices/0/message/content")->IsNull());
    EXPECT_EQ(json::view(*json::at(refused, "/choices/0/message/refusal")), "I can't");
    EXPECT_TRUE(
        json::at(ask(R"({"steps":[{"answer":null}]})").json(), "/choices/0/message/content")->IsNull());
    const auto cut =
        ask(R"({"steps":[{"finish":"length","answer":"","usage":null,"reasoning":"hm"}]})").json();
    EXPECT_EQ(json::view(*json::at(cut, "/choices/0/finish_reason")), "length");
    EXPECT_EQ(json::view(*json::at(cut, "/choices/0/message/reasoning_content")), "hm");
    EXPECT_EQ(json::find(cut, "usage"), nullptr);
    EXPECT_EQ(json::view(*json::at(ask(R"({"answer":{"a":1}})").json(), "/choices/0/message/content")),
              R"({"a":1})");
}

TEST_F(OpenAiTest, StreamErrorsAndMissingEnds) {
    auto events = eventsOf(stream(R"({"steps":[{"stream_error_after":2}]})").body());
    ASSERT_EQ(events.data.size(), 3u);
    EXPECT_NE(json::find(events.data.back(), "error"), nullptr);
    events = eventsOf(stream(R"({"steps":[{"no_done":true}]})").body());
    EXPECT_TRUE(events.others.empty());
    const auto cut = stream(R"({"steps":[{"stream_cut_after":1}]})");
    EXPECT_EQ(cut.end, Received::End::Closed);
    EXPECT_EQ(eventsOf(cut.body()).data.size(), 1u);
    events = eventsOf(
        stream(R"({"flavor":"openrouter","steps":[{"stream_error_after":1,"error":"server"}]})").body());
    EXPECT_EQ(json::view(*json::at(events.data.back(), "/choices/0/finish_reason")), "error");
    EXPECT_EQ(json::at(events.data.back(), "/error/code")->GetInt(), 500);
}

TEST_F(OpenAiTest, LineEndsAndByteOrderMark) {
    const auto crlf = stream(R"({"steps":[{"line_end":"crlf","bom":true}]})").body();
    EXPECT_TRUE(
        crlf.starts_with("\xef\xbb\xbf"
                         "data: "));
    EXPECT_TRUE(crlf.ends_with("data: [DONE]\r\n\r\n"));
    EXPECT_TRUE(stream(R"({"steps":[{"line_end":"cr"}]})").body().ends_with("data: [DONE]\r\r"));
}

TEST_F(OpenAiTest, KeyIsCheckedInEveryFlavour) {
    const auto refused = [&](std::string_view flavor) {
        return ask(R"({"key":"secret","flavor":")" + std::string(flavor) + R"("})");
    };
    EXPECT_EQ(refused("openai").status(), 401);
    EXPECT_EQ(json::view(*json::at(refused("openai").json(), "/error/code")), "invalid_api_key");
    EXPECT_EQ(refused("mistral").body(), R"({"detail":"Unauthorized"})");
    EXPECT_EQ(refused("xai").status(), 400);
    EXPECT_EQ(refused("perplexity").header("content-type"), "text/html");
    EXPECT_EQ(refused("perplexity").status(), 401);
    EXPECT_EQ(refused("nvidia").header("content-type"), "application/problem+json");
    EXPECT_EQ(refused("nvidia").status(), 403);
    EXPECT_EQ(refused("vllm").body(), R"({"error":"Unauthorized"})");
    const auto welcome = ask(R"({"key":"secret"})", "", "Authorization: Bearer secret\r\n");
    EXPECT_EQ(welcome.status(), 200);
}

TEST_F(OpenAiTest, ErrorBodiesOfTheFlavours) {
    const auto limited = [&](std::string_view flavor) {
        return ask(R"({"flavor":")" + std::string(flavor) + R"(","steps":[{"status":429}]})").json();
    };
    EXPECT_EQ(json::find(*json::find(limited("groq"), "error"), "param"), nullptr);
    EXPECT_EQ(json::string(limited("mistral"), "code"), "1300");
    EXPECT_EQ(json::string(limited("cerebras"), "code"), "request_quota_exceeded");
    EXPECT_EQ(json::at(limited("openrouter"), "/error/code")->GetInt(), 429);
    EXPECT_EQ(json::integer(limited("nvidia"), "status"), 429);
    EXPECT_TRUE(json::string(limited("xai"), "error"));
    EXPECT_TRUE(json::string(limited("lmstudio"), "error"));
    EXPECT_TRUE(json::string(limited("together"), "id"));
    EXPECT_EQ(json::view(*json::at(limited("ollama"), "/error/type")), "api_error");
    EXPECT_EQ(json::at(limited("llamacpp"), "/error/code")->GetInt(), 429);
    EXPECT_EQ(json::at(limited("vllm"), "/error/code")->GetInt(), 429);

    const auto overloaded = ask(R"({"flavor":"xai","steps":[{"error":"overloaded"}]})");
    EXPECT_EQ(overloaded.status(), 200);
    EXPECT_TRUE(json::string(overloaded.json(), "error"));
    EXPECT_EQ(ask(R"({"flavor":"deepseek","steps":[{"error":"quota"}]})").status(), 402);
    EXPECT_EQ(ask(R"({"flavor":"together","steps":[{"error":"context_length"}]})").status(), 403);
}

TEST_F(OpenAiTest, QuirksOfTheFlavours) {
    EXPECT_TRUE(ask(R"({"flavor":"deepseek"})").body().starts_with("\n\n\n{"));
    EXPECT_TRUE(stream(R"({"flavor":"deepseek"})").body().starts_with(": keep-alive\n\n"));
    EXPECT_TRUE(stream(R"({"flavor":"openrouter"})").body().starts_with(": OPENROUTER PROCESSING\n\n"));
    const auto groq = eventsOf(stream(R"({"flavor":"groq"})").body());
    EXPECT_NE(json::at(groq.data.back(), "/x_groq/usage/total_tokens"), nullptr);
    EXPECT_EQ(json::find(groq.data.back(), "usage"), nullptr);
    EXPECT_EQ(stream(R"({"flavor":"mistral"})").status(), 422);
    const auto thinking = ask(R"({"flavor":"mistral","steps":[{"reasoning":"hm"}]})").json();
    EXPECT_EQ(json::view(*json::at(thinking, "/choices/0/message/content/1/text")), "hé llo");
    EXPECT_TRUE(eventsOf(stream(R"({"flavor":"perplexity"})").body()).others.empty());
    EXPECT_EQ(textOf(eventsOf(stream(R"({"flavor":"perplexity","steps":[{"reasoning":"hm"}]})").body())),
              "<think>hm</think>hé llo");
    const auto together = ask(R"({"flavor":"together"})").json();
    EXPECT_EQ(json::view(*json::at(together, "/choices/0/finish_reason")), "eos");
}

TEST_F(OpenAiTest, RefusesWhatTheProviderRefuses) {
    EXPECT_EQ(sim.call("POST", "/v1/chat/completions", "{").status(), 400);
    EXPECT_EQ(sim.call("POST", "/v1/chat/completions", R"({"messages":[]})").status(), 400);
    const auto reply = sim.call("POST", "/v1/chat/completions",
                                R"({"model":"gpt-5.4-mini","max_tokens":5,"messages":[{"content":"x"}]})");
    EXPECT_EQ(reply.status(), 400);
    EXPECT_NE(reply.body().find("max_completion_tokens"), std::string::npos);
    EXPECT_EQ(sim.call("GET", "/p/one/v1/models").status(), 200);
}

TEST_F(OpenAiTest, RetryAfterInEveryForm) {
    const auto headers = [&](std::string_view value) {
        return ask(R"({"steps":[{"status":429,"retry_after":)" + std::string(value) + "}]}")
            .headers("retry-after");
    };
    for (const auto* raw : {"7", "1.5", "-3", "", "100000000000000000000", "soon"})
        EXPECT_EQ(headers("\"" + std::string(raw) + "\""), std::vector<std::string>{raw});
    EXPECT_EQ(headers(R"(["1","2"])"), (std::vector<std::string>{"1", "2"}));
    EXPECT_TRUE(headers(R"({"in_s":30})").front().ends_with(" GMT"));
    EXPECT_NE(headers(R"({"in_s":-30,"as":"rfc850"})").front().find("day, "), std::string::npos);
    EXPECT_EQ(headers(R"({"in_s":30,"as":"asctime"})").front().size(), 24u);
    const auto others = ask(R"({"steps":[{"status":429,"retry_after_ms":"120.5","try_again_in":"7.66s",)"
                            R"("headers":{"x-ratelimit-reset-requests":"6m0s"}}]})");
    EXPECT_EQ(others.header("retry-after-ms"), "120.5");
    EXPECT_EQ(others.header("x-ratelimit-reset-requests"), "6m0s");
    EXPECT_NE(others.body().find("Please try again in 7.66s."), std::string::npos);
}

}  // namespace
}  // namespace stepper::sim
