#include "core/jobs/identity.h"

#include <set>

#include <gtest/gtest.h>

#include "core/prompt/generic_prompt.h"
#include "core/report/commit_report.h"

namespace stepper::jobs {
namespace {

engine::GenerateRequest generic(const char* body, output::Mode mode = output::Mode::Json) {
    engine::GenerateRequest out;
    auto parsed = json::parse(body);
    EXPECT_TRUE(parsed.ok());
    out.question = std::make_shared<prompt::GenericPrompt>(
        std::make_shared<const json::Document>(std::move(parsed).value()), mode);
    return out;
}

engine::GenerateRequest reportOn(report::Commit commit) {
    engine::GenerateRequest out;
    out.question = std::make_shared<report::CommitReport>(std::move(commit));
    return out;
}

report::Commit sample() { return {"u", "sha", "repo", "message", {}, {}, "", {}, {}, "[]", ""}; }

std::string keyOf(const char* body) { return cacheKeyOf(generic(body), "", true); }

TEST(Identity, OrderAndNotationDoNotMatter) {
    EXPECT_EQ(keyOf(R"({"prompt":"p","payload":{"a":1,"b":[2.50]}})"),
              keyOf(R"({ "payload": {"b":[2.5], "a":1.0}, "prompt": "p" })"));
}

// A request that is sent again may come from another library, through a proxy, or from a map that has no
// order. (apache/fineract#5674: order of members at all levels, null or absent, arrays keep theirs)
TEST(Meaning, IsWhatARequestSaysNotHow) {
    const auto meaning = [](const char* body) { return meaningOf("generate", body); };
    const auto plain = meaning(R"({"prompt":"x","payload":{"a":1,"b":[1,2]},"maxOutputTokens":100})");
    for (const auto* same : {
             R"({"maxOutputTokens":100,"payload":{"b":[1,2],"a":1},"prompt":"x"})",
             R"({ "prompt" : "x",
                  "payload" : { "a" : 1, "b" : [ 1, 2 ] }, "maxOutputTokens": 1e2 })",
             R"({"\u0070rompt":"\u0078","payload":{"a":1.0,"b":[1,2.00]},"maxOutputTokens":100})",
             R"({"prompt":"x","payload":{"a":1,"b":[1,2]},"maxOutputTokens":100,"tenantId":null})",
         })
        EXPECT_EQ(meaning(same), plain) << same;
    for (const auto* other : {
             R"({"prompt":"y","payload":{"a":1,"b":[1,2]},"maxOutputTokens":100})",
             R"({"prompt":"x","payload":{"a":1,"b":[2,1]},"maxOutputTokens":100})",
             R"({"prompt":"x","payload":{"a":"1","b":[1,2]},"maxOutputTokens":100})",
             R"({"prompt":"x","payload":{"a":1,"b":[1,2],"c":null},"maxOutputTokens":100})",
             R"({"prompt":"x ","payload":{"a":1,"b":[1,2]},"maxOutputTokens":100})",
             R"({"prompt":"x","payload":{"a":1,"b":[1,2]}})",
         })
        EXPECT_NE(meaning(other), plain) << other;
    EXPECT_NE(meaningOf("batch", R"({"prompt":"x"})"), meaning(R"({"prompt":"x"})"));
}

TEST(Meaning, LargeIntegersAreNotRounded) {
    const auto meaning = [](const char* body) { return meaningOf("generate", body); };
    EXPECT_NE(meaning(R"({"prompt":{"id":9007199254740993}})"),
              meaning(R"({"prompt":{"id":9007199254740992}})"));
    EXPECT_EQ(meaning(R"({"prompt":{"id":9007199254740993,"a":1}})"),
              meaning(R"({"prompt":{"a":1,"id":9007199254740993}})"));
    EXPECT_EQ(meaning(R"({"prompt":{"b":9007199254740993,"a":9007199254740995}})"),
              meaning(R"({"prompt":{"a":9007199254740995,"b":9007199254740993}})"));
    EXPECT_NE(meaning(R"({"prompt":{"a":9007199254740993,"b":9007199254740995}})"),
              meaning(R"({"prompt":{"a":9007199254740995,"b":9007199254740993}})"));
}

TEST(Identity, WhatShapesTheAnswerDoes) {
    const auto plain = keyOf(R"({"prompt":"p"})");
    EXPECT_NE(plain, keyOf(R"({"prompt":"q"})"));
    EXPECT_NE(plain, keyOf(R"({"prompt":"p","payload":1})"));
    EXPECT_NE(plain, keyOf(R"({"prompt":"p","outputSchema":{"kind":"http-json"}})"));
    const auto text = generic(R"({"prompt":"p"})", output::Mode::Text);
    EXPECT_NE(plain, cacheKeyOf(text, "", true));
    auto limited = generic(R"({"prompt":"p"})");
    limited.max_output_tokens = 10;
    EXPECT_NE(plain, cacheKeyOf(limited, "", true));
    auto elsewhere = generic(R"({"prompt":"p"})");
    elsewhere.preferred = {"groq"};
    EXPECT_NE(plain, cacheKeyOf(elsewhere, "", true));
    EXPECT_NE(plain, cacheKeyOf(generic(R"({"prompt":"p"})"), "", false));
    auto fast = generic(R"({"prompt":"p"})"), manual = generic(R"({"prompt":"p"})");
    fast.plan = config::Plan::FastestFirst;
    manual.plan = config::Plan::Manual;
    EXPECT_NE(plain, cacheKeyOf(fast, "", true));
    EXPECT_NE(plain, cacheKeyOf(manual, "", true));
    EXPECT_NE(cacheKeyOf(manual, "", true), cacheKeyOf(fast, "", true));
}

// Answers and jobs are kept by these, through upgrades, too: such a request's key may never change.
TEST(Identity, OfARequestThatIsKeptIsWhatItWas) {
    EXPECT_EQ(keyOf(R"({"prompt":"p"})"), "af0f7c7d85c65dbef74bcdac602fb99d591c625fa724a7435abfb71f2f879ddc");
    EXPECT_EQ(keyOf(R"({"prompt":"p","system":null,"messages":null,"temperature":null})"),
              keyOf(R"({"prompt":"p"})"));
    EXPECT_EQ(report::keyOf("", "u", "sha", std::nullopt),
              "8629b01cc4c246b8103b5f8e9fd4976f984569bc1e954e3a622e010ac490fe1a");
}

TEST(Identity, SystemMessagesTemperatureAndModelCount) {
    const auto plain = keyOf(R"({"prompt":"p"})");
    EXPECT_NE(plain, keyOf(R"({"prompt":"p","system":""})"));
    EXPECT_NE(keyOf(R"({"prompt":"p","system":"s"})"), keyOf(R"({"prompt":"p","system":"t"})"));
    EXPECT_NE(plain, keyOf(R"({"messages":[{"role":"user","content":"p"}]})"));
    EXPECT_NE(keyOf(R"({"messages":[{"role":"user","content":"p"}]})"),
              keyOf(R"({"messages":[{"role":"assistant","content":"p"}]})"));
    const auto report = reportOn(sample());
    for (auto request : {generic(R"({"prompt":"p"})"), report}) {
        std::set<std::string> keys = {cacheKeyOf(request, "", true)};
        request.temperature = 0;
        keys.insert(cacheKeyOf(request, "", true));
        request.temperature = 1;
        keys.insert(cacheKeyOf(request, "", true));
        request.model = "m";
        keys.insert(cacheKeyOf(request, "", true));
        EXPECT_EQ(keys.size(), 4u);
    }
}

TEST(Identity, MetadataCountsOnlyWhereATemplateShowsIt) {
    EXPECT_EQ(keyOf(R"({"prompt":"p","metadata":{"trace":1}})"),
              keyOf(R"({"prompt":"p","metadata":{"trace":2}})"));
    EXPECT_NE(keyOf(R"({"prompt":{"template":"{{ metadata.who }}"},"metadata":{"who":1}})"),
              keyOf(R"({"prompt":{"template":"{{ metadata.who }}"},"metadata":{"who":2}})"));
    const auto chat = [](const std::string& member, int who) {
        const auto body = R"({"messages":[{"role":"user","content":"{{metadata.who}}"}],)" + member +
                          R"("metadata":{"who":)" + std::to_string(who) + "}}";
        return keyOf(body.c_str());
    };
    EXPECT_NE(chat(R"("payload":1,)", 1), chat(R"("payload":1,)", 2));
    EXPECT_EQ(chat("", 1), chat("", 2)) << "its braces are text";
}

TEST(Identity, LargeIntegersStayApart) {
    EXPECT_NE(keyOf(R"({"prompt":"p","payload":{"id":9007199254740993}})"),
              keyOf(R"({"prompt":"p","payload":{"id":9007199254740992}})"));
    EXPECT_NE(keyOf(R"({"prompt":"p","payload":[-9007199254740993]})"),
              keyOf(R"({"prompt":"p","payload":[-9007199254740994]})"));
}

TEST(Identity, RequestIdCountsWhenSent) {
    auto first = generic(R"({"prompt":"p"})"), second = generic(R"({"prompt":"p"})");
    first.request_id = "r-1";
    second.request_id = "r-2";
    EXPECT_NE(cacheKeyOf(first, "", true), cacheKeyOf(second, "", true));
    EXPECT_NE(cacheKeyOf(first, "", true), keyOf(R"({"prompt":"p"})"));
}

TEST(Identity, TheClientsKeyStandsForAllButTheTenant) {
    auto a = generic(R"({"prompt":"p"})"), b = generic(R"({"prompt":"q"})");
    EXPECT_EQ(cacheKeyOf(a, "k", true), cacheKeyOf(b, "k", true));
    b.tenant_id = "other";
    EXPECT_NE(cacheKeyOf(a, "k", true), cacheKeyOf(b, "k", true));
}

TEST(Identity, ACommitIsUserShaAndTemplate) {
    const auto report = reportOn(sample());
    EXPECT_EQ(cacheKeyOf(report, "", true), report::keyOf("", "u", "sha", std::nullopt));
    EXPECT_NE(cacheKeyOf(report, "", true), report::keyOf("", "u", "sha", "wording"));
    EXPECT_NE(cacheKeyOf(report, "", true), report::keyOf("", "v", "sha", std::nullopt));
    const auto plain = cacheKeyOf(report, "", true);
    auto named = report;
    named.request_id = "r";
    report::Commit commit = sample();
    commit.instructions = "Be brief.";
    const auto told = reportOn(std::move(commit));
    EXPECT_NE(cacheKeyOf(named, "", true), plain);
    EXPECT_NE(cacheKeyOf(told, "", true), plain);
}

}  // namespace
}  // namespace stepper::jobs
