#include "core/jobs/identity.h"

#include <gtest/gtest.h>

namespace stepper::jobs {
namespace {

engine::GenerateRequest generic(const char* body) {
    engine::GenerateRequest out;
    auto parsed = json::parse(body);
    EXPECT_TRUE(parsed.ok());
    out.subject = engine::GenericPrompt{std::make_shared<const json::Document>(std::move(parsed).value())};
    return out;
}

std::string keyOf(const char* body) { return cacheKeyOf(generic(body), "", true); }

TEST(Identity, OrderAndNotationDoNotMatter) {
    EXPECT_EQ(keyOf(R"({"prompt":"p","payload":{"a":1,"b":[2.50]}})"),
              keyOf(R"({ "payload": {"b":[2.5], "a":1.0}, "prompt": "p" })"));
}

TEST(Identity, WhatShapesTheAnswerDoes) {
    const auto plain = keyOf(R"({"prompt":"p"})");
    EXPECT_NE(plain, keyOf(R"({"prompt":"q"})"));
    EXPECT_NE(plain, keyOf(R"({"prompt":"p","payload":1})"));
    EXPECT_NE(plain, keyOf(R"({"prompt":"p","outputSchema":{"kind":"http-json"}})"));
    auto text = generic(R"({"prompt":"p"})");
    text.mode = output::Mode::Text;
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

TEST(Identity, MetadataCountsOnlyWhereATemplateShowsIt) {
    EXPECT_EQ(keyOf(R"({"prompt":"p","metadata":{"trace":1}})"),
              keyOf(R"({"prompt":"p","metadata":{"trace":2}})"));
    EXPECT_NE(keyOf(R"({"prompt":{"template":"{{ metadata.who }}"},"metadata":{"who":1}})"),
              keyOf(R"({"prompt":{"template":"{{ metadata.who }}"},"metadata":{"who":2}})"));
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
    engine::GenerateRequest report;
    report.subject = prompt::CommitInput{"u", "sha", "repo", "message", {}, {}, "", {}, {}, "[]"};
    EXPECT_EQ(cacheKeyOf(report, "", true), reportKey("", "u", "sha", std::nullopt));
    EXPECT_NE(cacheKeyOf(report, "", true), reportKey("", "u", "sha", "wording"));
    EXPECT_NE(cacheKeyOf(report, "", true), reportKey("", "v", "sha", std::nullopt));
}

}  // namespace
}  // namespace stepper::jobs
