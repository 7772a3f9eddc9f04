#include "core/api/generate_request.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

using Parsed = Result<ParsedRequest>;

Parsed parseGenerate(std::string_view body) { return parseRequest(RequestKind::Generate, body); }
Parsed parseReport(std::string_view body) { return parseRequest(RequestKind::Report, body); }

std::string refusalOf(const Parsed& parsed) { return parsed ? "accepted" : parsed.error().message; }

TEST(ParseGenerate, RefusesInTheContractsWords) {
    const std::pair<const char*, const char*> cases[] = {
        {"{}", "Missing required field: prompt"},
        {"", "Missing required field: prompt"},
        {"[1]", "Missing required field: prompt"},
        {R"({"prompt":null})", "Missing required field: prompt"},
        {R"({"prompt":5})", "Invalid prompt: expected string or preset prompt object"},
        {R"({"prompt":"x","responseMode":"xml"})", "Invalid responseMode: expected 'json' or 'text'"},
        {R"({"prompt":"x","cacheControl":"sometimes"})",
         "Invalid cacheControl: expected 'default', 'no-cache', or 'refresh'"},
        {R"({"prompt":"x","outputSchema":{"kind":"zod"}})",
         "Invalid outputSchema.kind: expected 'http-json' for HTTP transport"},
        {R"({"prompt":"x","responseMode":"text","outputSchema":{"kind":"http-json"}})",
         "outputSchema is only supported when responseMode is 'json'"},
        {R"({"prompt":"x","tenantId":7})",
         "Invalid tenantId: expected a non-empty string of at most 256 characters"},
        {R"({"prompt":"x","plan":"cheapest"})",
         "Invalid plan: expected 'manual', 'fastest-first', or 'cheapest-first'"},
        {R"({"prompt":"x","plan":["manual"]})",
         "Invalid plan: expected 'manual', 'fastest-first', or 'cheapest-first'"},
        {R"({"prompt":"x","preferredProviders":"a"})",
         "Invalid preferredProviders: expected an array of non-empty provider names"},
        {R"({"prompt":"x","preferredProviders":["a"," "]})",
         "Invalid preferredProviders: expected an array of non-empty provider names"},
        {R"({"prompt":"x","excludeProviders":[1]})",
         "Invalid excludeProviders: expected an array of non-empty provider names"},
        {R"({"prompt":"x","messages":[{"role":"user","content":"x"}]})",
         "Invalid messages: a request has either a prompt or messages, not both"},
        {R"({"messages":[{"role":"tool","content":"x"}]})",
         "Invalid messages[0].role: expected 'system', 'user', or 'assistant'"},
        {R"({"messages":[{"role":"user","content":" "}]})",
         "Rendered messages[0].content is empty. Leave the message out or give it a text."},
        {R"({"prompt":"x","system":1})", "Invalid system: expected string"},
        {R"({"prompt":"x","temperature":2.1})", "Invalid temperature: expected a number from 0 to 2"},
        {R"({"prompt":"x","temperature":-0.1})", "Invalid temperature: expected a number from 0 to 2"},
        {R"({"prompt":"x","temperature":"1"})", "Invalid temperature: expected a number from 0 to 2"},
        {R"({"prompt":"x","model":""})",
         "Invalid model: expected a non-empty string of at most 256 characters"},
        {R"({"prompt":"x","maxOutputTokens":0})",
         "Invalid maxOutputTokens: expected a positive whole number of at most 10000000"},
        {R"({"prompt":"x","maxOutputTokens":0.5})",
         "Invalid maxOutputTokens: expected a positive whole number of at most 10000000"},
        {R"({"prompt":"x","maxOutputTokens":64.5})",
         "Invalid maxOutputTokens: expected a positive whole number of at most 10000000"},
        {R"({"prompt":"x","maxOutputTokens":"64"})",
         "Invalid maxOutputTokens: expected a positive whole number of at most 10000000"},
        {R"({"prompt":"x","maxOutputTokens":1e300})",
         "Invalid maxOutputTokens: expected a positive whole number of at most 10000000"},
        {R"({"prompt":"x","strict":"yes"})", "Invalid strict: expected true or false"},
        {R"({"prompt":"x","maxDurationSeconds":-1})",
         "Invalid maxDurationSeconds: expected a positive number of at most 3600"},
        {R"({"prompt":{"preset":7}})", "Invalid prompt: expected string or preset prompt object"},
        {R"({"prompt":{"preset":"poem"}})",
         "Rendered prompt is empty. Provide a non-empty prompt or template."},
        {R"({"prompt":{"preset":"commit-report","payload":{},"instructions":1}})",
         "Invalid prompt.instructions: expected string"},
        {R"({"prompt":"x","callbacks":[{"url":"nope"}]})", "callbacks.0.url: Invalid url"},
        {R"({"prompt":{"preset":"commit-report","payload":{"userId":"u"}}})", "commitSha: Required"}};
    for (const auto& [body, words] : cases) EXPECT_EQ(refusalOf(parseGenerate(body)), words) << body;
}

TEST(ParseGenerate, TakesAConversationItsTemperatureAndItsModel) {
    const auto parsed =
        parseGenerate(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
        {"role":"user","content":"c"}],"system":"s","temperature":2,"model":"m","strict":true})");
    ASSERT_EQ(refusalOf(parsed), "accepted");
    const ParsedRequest& wanted = *parsed;
    EXPECT_TRUE(wanted.remarks.empty());
    EXPECT_EQ(wanted.request.temperature, 2.0);
    EXPECT_EQ(wanted.request.model, "m");
    const auto messages = wanted.request.question->messages({}, prompt::Redaction::Off);
    ASSERT_TRUE(messages.ok());
    EXPECT_EQ(messages->size(), 1 + 3u);  // with the system text
}

TEST(ParseGenerate, APresetThatNobodyKnowsIsTold) {
    const auto parsed = parseGenerate(R"({"prompt":{"preset":"poem","template":"x"}})");
    ASSERT_EQ(refusalOf(parsed), "accepted");
    EXPECT_EQ(
        parsed->remarks.warnings(),
        std::vector<std::string>{"prompt.preset is ignored: the only preset is 'commit-report'; the rest "
                                 "of the prompt is taken as it is"});
}

TEST(ParseGenerate, ThePresetTakesInstructionsBesideItsOwn) {
    const auto parsed = parseGenerate(R"({"prompt":{"preset":"commit-report","instructions":" Be brief. ",
        "payload":{"userId":"u","commitSha":"c","repo":"r","message":"m","files":[],"components":[],
                   "diffSummary":""}}})");
    ASSERT_EQ(refusalOf(parsed), "accepted");
    const ParsedRequest& wanted = *parsed;
    EXPECT_TRUE(wanted.remarks.empty());
    const auto messages = wanted.request.question->messages({}, prompt::Redaction::Off);
    ASSERT_TRUE(messages.ok());
    EXPECT_TRUE(messages->back().content.ends_with("instructions:\nBe brief."));
}

TEST(ParseGenerate, AnEmptyNameIsNone) {
    const auto parsed = parseGenerate(R"({"prompt":"x","tenantId":"","requestId":"","cacheKey":""})");
    ASSERT_EQ(refusalOf(parsed), "accepted");
    EXPECT_EQ(parsed->request.tenant_id, "");
}

// An older version kept them as they came.
TEST(DecodeStored, WhatNobodyHeedsIsNoReasonToRefuse) {
    EXPECT_TRUE(decodeStored("generate", R"({"prompt":"x","callbacks":[{}]})").ok());
    EXPECT_TRUE(decodeStored("report", R"({"userId":"u","commitSha":"c","repo":"r","message":"m","files":[],
        "components":[],"diffSummary":"","callbackUrl":"x"})")
                    .ok());
}

TEST(ParseGenerate, AWrongVersionNamesTheSupportedOne) {
    for (const auto* body :
         {R"({"prompt":"x","contractVersion":"9"})", R"({"prompt":"x","contractVersion":1})"})
        EXPECT_EQ(badRequest(parseGenerate(body).error(), "r-1").body,
                  R"({"error":"Request contract version is not supported",)"
                  R"("errorCode":"SCHEMA_VERSION_MISMATCH","supportedVersion":"1","requestId":"r-1"})");
    EXPECT_EQ(badRequest("Too \"much\"", "r-1").body,
              R"({"error":"Too \"much\"","errorCode":"BAD_REQUEST","requestId":"r-1"})");
}

TEST(ParseGenerate, BrokenJsonIsSaidToBeBroken) {
    for (const auto* body : {R"({"prompt": )", R"({"prompt":"a","prompt":"b"})", "nonsense"}) {
        EXPECT_NE(refusalOf(parseGenerate(body)).find("Request body is not valid JSON"), std::string::npos)
            << body;
        EXPECT_NE(badRequest(parseGenerate(body).error(), "").body.find(R"("errorCode":"BAD_REQUEST")"),
                  std::string::npos)
            << body;
    }
}

TEST(ParseGenerate, TakesWhatTheContractOffers) {
    const auto parsed = parseGenerate(R"({"tenantId":"t","requestId":"r","prompt":"x","responseMode":"text",
        "contractVersion":"1","cacheControl":"refresh","preferredProviders":["a"],"excludeProviders":["b"],
        "maxOutputTokens":64.0,"maxDurationSeconds":2.5,"metadata":{"a":1}})");
    ASSERT_TRUE(parsed.ok()) << refusalOf(parsed);
    EXPECT_EQ(parsed->request.labels().response_mode, "text");
    EXPECT_EQ(parsed->request.tenant_id, "t");
    EXPECT_EQ(parsed->request.preferred, std::vector<std::string>{"a"});
    EXPECT_EQ(parsed->request.excluded, std::vector<std::string>{"b"});
    EXPECT_EQ(parsed->request.max_output_tokens, 64);
    EXPECT_EQ(parsed->max_duration, milliseconds{2500});
    EXPECT_EQ(parsed->cache_control, CacheControl::Refresh);
}

TEST(ParseGenerate, APlanIsOneOfThree) {
    using config::Plan;
    const std::pair<const char*, std::optional<Plan>> cases[] = {
        {R"({"prompt":"x"})", std::nullopt},
        {R"({"prompt":"x","plan":null})", std::nullopt},
        {R"({"prompt":"x","plan":"manual"})", Plan::Manual},
        {R"({"prompt":"x","plan":"fastest-first"})", Plan::FastestFirst},
        {R"({"prompt":"x","plan":"cheapest-first"})", Plan::CheapestFirst}};
    for (const auto& [body, plan] : cases) {
        const auto parsed = parseGenerate(body);
        ASSERT_TRUE(parsed.ok()) << refusalOf(parsed);
        EXPECT_EQ(parsed->request.plan, plan) << body;
    }
}

// On purpose other than the inherited service, which asked every provider and answered with its fallback.
TEST(ParseGenerate, APromptThatRendersToNothingIsRefused) {
    for (const auto* body :
         {R"({"prompt":""})", R"({"prompt":"  \n\t"})", R"({"prompt":"\u00a0\u3000"})",
          R"({"prompt":"\ufeff\u200b"})", R"({"prompt":{}})", R"({"prompt":{"template":" "}})",
          R"({"prompt":{"template":"{{ payload.text }}"},"payload":{"txt":"x"}})",
          R"({"prompt":{"template":"{{variables.a}} {{metadata.b}}","variables":{"a":""}}})",
          R"({"prompt":{"payload":""}})"})
        EXPECT_EQ(refusalOf(parseGenerate(body)),
                  "Rendered prompt is empty. Provide a non-empty prompt or template.")
            << body;
    for (const auto* body :
         {R"({"prompt":"."})", R"({"prompt":{"instructions":"Go."}})", R"({"prompt":{},"payload":0})",
          R"({"prompt":{"template":"{{ payload.text }}"},"payload":{"text":"x"}})"})
        EXPECT_EQ(refusalOf(parseGenerate(body)), "accepted") << body;
}

TEST(ParseGenerate, TheShortestDurationIsNotNone) {
    const auto parsed = parseGenerate(R"({"prompt":"x","maxDurationSeconds":0.0001})");
    ASSERT_TRUE(parsed.ok()) << refusalOf(parsed);
    EXPECT_EQ(parsed->max_duration, milliseconds{1});
}

TEST(ParseGenerate, AByteOrderMarkIsNotPartOfTheBody) {
    EXPECT_EQ(refusalOf(parseGenerate("\xEF\xBB\xBF{\"prompt\":\"x\"}")), "accepted");
    EXPECT_EQ(refusalOf(parseGenerate("\xEF\xBB\xBF")), "Missing required field: prompt");
    EXPECT_NE(refusalOf(parseGenerate("{\"prompt\":\"x\"}\xEF\xBB\xBF")), "accepted");
    using namespace std::string_view_literals;
    for (const auto body : {"\xFF\xFE{\0"sv, "\xFE\xFF\0{"sv})
        EXPECT_NE(refusalOf(parseGenerate(body)).find("UTF-16"), std::string::npos);
}

TEST(ParseGenerate, WhatDoesNotCountIsRemarkedOnAndKept) {
    const auto parsed = parseGenerate(R"({"prompt":"x","seed":0,"strict":true})");
    ASSERT_TRUE(parsed.ok()) << refusalOf(parsed);
    EXPECT_TRUE(parsed->strict);
    EXPECT_EQ(parsed->remarks.refusal(), "Invalid seed: unknown member");
    EXPECT_EQ(warningsOn("generate", R"({"prompt":"x","seed":0})"),
              std::vector<std::string>{"seed is ignored: unknown member"});
    EXPECT_TRUE(warningsOn("generate", "not what was stored").empty());
}

TEST(ParseReport, AsksForTheCommit) {
    EXPECT_EQ(refusalOf(parseReport(R"({"userId":"u"})")), "commitSha: Required");
    const auto parsed =
        parseReport(R"({"userId":"u","commitSha":"c","repo":"o/r","message":"Fix bug","files":["a.ts"],
        "components":["app"],"diffSummary":""})");
    ASSERT_TRUE(parsed.ok()) << refusalOf(parsed);
    EXPECT_EQ(parsed->request.labels().preset, "commit-report");
    EXPECT_EQ(parsed->request.plan, std::nullopt);
}

TEST(ParseReport, TakesAPlan) {
    constexpr std::string_view commit =
        R"({"userId":"u","commitSha":"c","repo":"o/r","message":"m","files":[],"components":[],"diffSummary":"")";
    const auto parsed = parseReport(std::string(commit) + R"(,"plan":"fastest-first"})");
    ASSERT_TRUE(parsed.ok()) << refusalOf(parsed);
    EXPECT_EQ(parsed->request.plan, config::Plan::FastestFirst);
    EXPECT_EQ(refusalOf(parseReport(std::string(commit) + R"(,"plan":"best"})")),
              "Invalid plan: expected 'manual', 'fastest-first', or 'cheapest-first'");
}

TEST(ParseReport, TakesTheOptionsOfEveryRequest) {
    const auto parsed = parseReport(
        R"({"userId":"u","commitSha":"c","repo":"o/r","message":"m","files":[],"components":[],"diffSummary":"",
        "maxOutputTokens":900,"maxDurationSeconds":30,"priority":1,"cacheControl":"no-cache"})");
    ASSERT_TRUE(parsed.ok()) << refusalOf(parsed);
    EXPECT_EQ(parsed->request.max_output_tokens, 900);
    EXPECT_EQ(parsed->max_duration, milliseconds{30'000});
    EXPECT_EQ(parsed->priority, 1);
    EXPECT_EQ(parsed->cache_control, CacheControl::NoCache);
    EXPECT_TRUE(parsed->remarks.empty());
}

TEST(StoredRequest, WhatAnEarlierVersionTookNoNoticeOfFailsNoJob) {
    for (const char* body :
         {R"({"prompt":"x","temperature":"hot"})", R"({"prompt":"x","model":7})",
          R"({"prompt":"x","messages":[]})", R"({"prompt":"x","system":{},"temperature":3})"}) {
        ASSERT_FALSE(parseGenerate(body).ok()) << body;
        const auto again = decodeStored("generate", body);
        ASSERT_TRUE(again.ok()) << body << again.error().message;
        EXPECT_FALSE(again->temperature);
        EXPECT_EQ(again->model, "");
    }
    EXPECT_EQ(decodeStored("generate", R"({"prompt":"x","temperature":0.5})")->temperature, 0.5);
    EXPECT_FALSE(decodeStored("generate", R"({"temperature":"hot"})").ok());
}

}  // namespace
}  // namespace stepper::api
