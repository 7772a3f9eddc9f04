// What a request says that nobody acts on, at every level of every body, and what was probably meant.
#include "core/api/remarks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/members.h"
#include "core/api/request_remarks.h"

namespace stepper::api {
namespace {

using testing::ElementsAre;
using Lines = std::vector<std::string>;

json::Document parsed(std::string_view text) {
    auto out = json::parse(text);
    EXPECT_TRUE(out.ok()) << text;
    return std::move(out).value();
}

Lines onGenerate(std::string_view text, Use use = Use::Job) {
    Remarks out;
    remarkOnGenerate(parsed(text), use, out);
    return out.warnings();
}
Lines onReport(std::string_view text, Use use = Use::Job) {
    Remarks out;
    remarkOnReport(parsed(text), use, out);
    return out.warnings();
}
Lines onBatch(std::string_view text) {
    Remarks out;
    remarkOnBatch(parsed(text), out);
    return out.warnings();
}

TEST(Remarks, WhatCountsGetsNone) {
    constexpr const char* kRequest = R"({
        "tenantId":"t", "requestId":"r", "cacheKey":"k", "responseMode":"json", "contractVersion":"1",
        "prompt":{"template":"x", "instructions":"y", "variables":{"any":1}, "payload":{"any":{"thing":2}}},
        "cacheControl":"default", "preferredProviders":[], "excludeProviders":[], "metadata":{"any":1},
        "plan":"manual", "maxOutputTokens":1, "maxDurationSeconds":1, "priority":5, "strict":true,
        "callbacks":[], "outputSchema":{"kind":"http-json", "type":"object", "requiredKeys":["a"],
          "allowAdditionalKeys":false, "properties":{"type":{"type":"array", "minItems":1, "maxItems":2,
            "items":{"type":"object", "properties":{}}}}}})";
    EXPECT_EQ(onGenerate(kRequest), Lines{});
    constexpr const char* kJsonSchema =
        R"({"prompt":"x","outputSchema":{"kind":"json-schema","schema":{"x-mine":1}}})";
    EXPECT_EQ(onGenerate(kJsonSchema), Lines{});
    constexpr const char* kReport = R"({
        "userId":"u", "commitSha":"c", "repo":"r", "message":"m", "files":[], "components":[],
        "diffSummary":"", "template":"t", "plan":"manual", "priority":1})";
    EXPECT_EQ(onReport(kReport), Lines{});
    constexpr const char* kBatch = R"({
        "tenantId":"t", "contractVersion":"1", "concurrency":1, "priority":1,
        "maxDurationSeconds":1, "strict":false, "items":[{"id":"a","request":{"any":1}}]})";
    EXPECT_EQ(onBatch(kBatch), Lines{});
}

// vllm-project/vllm#10463, drumih/turbo-fieldfare#168, dtzp555-max/ocp#470
TEST(Remarks, OtherApisNamesAreTranslated) {
    const std::pair<const char*, const char*> cases[] = {
        {"max_tokens", "maxOutputTokens"},
        {"max_completion_tokens", "maxOutputTokens"},
        {"maxTokens", "maxOutputTokens"},
        {"max_token", "maxOutputTokens"},
        {"max_output_tokens", "maxOutputTokens"},
        {"maxOutputToken", "maxOutputTokens"},
        {"response_format", "outputSchema"},
        {"timeout", "maxDurationSeconds"},
        {"max_duration_seconds", "maxDurationSeconds"},
        {"maxDuration", "maxDurationSeconds"},
        {"tenantID", "tenantId"},
        {"preferredProvider", "preferredProviders"},
        {"excludedProviders", "excludeProviders"},
        {"system_prompt", "system"},
        {"message", "messages"},
        {"cache-control", "cacheControl"},
        {"requestID", "requestId"},
    };
    for (const auto& [theirs, ours] : cases)
        EXPECT_THAT(
            onGenerate(R"({"prompt":"x",")" + std::string(theirs) + R"(":1})"),
            ElementsAre(std::string(theirs) + " is ignored: unknown member; did you mean '" + ours + "'?"));
    for (const auto* name : {"n", "top_p", "seed", "logprobs", "stop"})
        EXPECT_THAT(onGenerate(R"({"prompt":"x",")" + std::string(name) + R"(":1})"),
                    ElementsAre(std::string(name) + " is ignored: unknown member"));
}

TEST(Remarks, EveryLevelIsLookedAt) {
    EXPECT_THAT(onGenerate(R"({"prompt":{"tempalte":"x"}})"),
                ElementsAre("prompt.tempalte is ignored: unknown member; did you mean 'template'?"));
    EXPECT_THAT(onGenerate(R"({"prompt":"x","outputSchema":{"kind":"http-json","required":["a"],"properties":{
                  "a":{"type":"string","enum":["b"]}, "l":{"type":"array","items":{"type":"object",
                    "properties":{"c":{"type":"number","minimum":0}}}}}}})"),
                ElementsAre("outputSchema.required is ignored: unknown member; did you mean 'requiredKeys'?",
                            "outputSchema.properties.a.enum is ignored: unknown member",
                            "outputSchema.properties.l.items.properties.c.minimum is ignored: unknown "
                            "member"));
    EXPECT_THAT(onGenerate(R"({"prompt":"x","outputSchema":{"kind":"json-schema","schema":{},"name":"n"}})"),
                ElementsAre("outputSchema.name is ignored: unknown member"));
    EXPECT_THAT(onGenerate(R"({"prompt":"x","outputSchema":{"kind":"http-json","type":"array"}})"),
                ElementsAre("outputSchema.type is ignored: an http-json schema is always that of an object"));
    EXPECT_THAT(onBatch(R"({"maxDuration":1,"items":[{"id":"a","request":{}},
                  {"id":"b","priorty":1,"request":{}}]})"),
                ElementsAre("maxDuration is ignored: unknown member; did you mean 'maxDurationSeconds'?",
                            "items[1].priorty is ignored: unknown member; did you mean 'priority'?"));
    EXPECT_THAT(onReport(R"({"userId":"u","commitSHA":"c"})"),
                ElementsAre("commitSHA is ignored: unknown member; did you mean 'commitSha'?"));
    EXPECT_THAT(onGenerate(R"({"messages":[{"role":"user","content":"x","name":"n"}]})"),
                ElementsAre("messages[0].name is ignored: unknown member"));
    EXPECT_THAT(onGenerate(R"({"prompt":{"preset":"commit-report","payload":{"userId":"u","diff":"x"}}})"),
                ElementsAre("prompt.payload.diff is ignored: unknown member; did you mean 'diffSummary'?"));
}

TEST(Remarks, WhatIsKnownAndDoesNotCountIsTold) {
    EXPECT_THAT(onGenerate(R"({"prompt":"x","callbacks":[{"url":"https://a.example"}]})"),
                ElementsAre("callbacks is ignored: callbacks are not called yet; ask for the job, or follow "
                            "its events"));
    EXPECT_EQ(onReport(R"({"userId":"u","callbackUrl":"https://a.example"})").size(), 1u);
    EXPECT_EQ(onGenerate(R"({"prompt":"x","callbacks":null})"), Lines{});
    EXPECT_THAT(onGenerate(R"({"prompt":"x","payload":{"a":1}})"),
                ElementsAre("payload is ignored: a prompt that is a string takes none; write {\"template\": "
                            "...}"));
    EXPECT_THAT(onGenerate(R"({"prompt":{"instructions":"do","variables":{"lang":"de"}}})"),
                ElementsAre("prompt.variables is ignored: only a template has places for them"));
    EXPECT_EQ(onGenerate(R"({"prompt":{"template":"{{lang}}","variables":{"lang":"de"}}})"), Lines{});
    EXPECT_EQ(
        onGenerate(
            R"({"prompt":{"instructions":"do","variables":{"lang":"de"}},"system":"{{variables.lang}}"})"),
        Lines{});
    EXPECT_EQ(onGenerate(R"({"messages":[{"role":"user","content":"{{payload.a}}"}],"payload":{"a":1}})"),
              Lines{});
    EXPECT_THAT(
        onGenerate(R"({"messages":[{"role":"user","content":"x"}],"payload":{"a":1}})"),
        ElementsAre("payload is ignored: neither a message nor the system text has a place for it, such as "
                    "{{ payload.name }}"));
    EXPECT_THAT(onGenerate(R"({"prompt":{"preset":"commit-report","payload":{}},"system":"s"})"),
                ElementsAre("system is ignored: the commit-report preset has its own"));
    EXPECT_EQ(onBatch(R"({"requestId":"r","metadata":{"a":1},"items":[]})").size(), 1u);
    EXPECT_THAT(onGenerate(R"({"prompt":{"payload":1},"payload":2})"),
                ElementsAre("payload is ignored: prompt.payload is there in its place"));
    EXPECT_THAT(onGenerate(R"({"prompt":{"preset":"commit-report","template":"t","payload":{}},
                  "responseMode":"text"})"),
                ElementsAre("prompt.template is ignored: the commit-report preset has its own",
                            "responseMode is ignored: the commit-report preset has its own"));
    EXPECT_EQ(onGenerate(R"({"prompt":"x","priority":1,"cacheKey":"k"})", Use::Job), Lines{});
    EXPECT_THAT(onGenerate(R"({"prompt":"x","priority":1,"cacheKey":"k"})", Use::Immediate),
                ElementsAre("priority is ignored: it counts for queued requests only",
                            "cacheKey is ignored: it counts for queued requests only"));
}

TEST(Remarks, AreFewAndShort) {
    Remarks many;
    for (int i = 0; i < 70'000; ++i) many.unknown("member" + std::to_string(i), "x", "unknown member", {"a"});
    EXPECT_EQ(many.warnings().size(), Remarks::kMost + 1);
    EXPECT_EQ(many.warnings().back(), "and 69980 more like these");
    Remarks batch;
    batch.addAll(many, "items[0].");
    batch.addAll(many, "items[1].");
    EXPECT_EQ(batch.warnings().size(), Remarks::kMost + 1);
    EXPECT_EQ(batch.warnings().front(), "items[0].member0 is ignored: unknown member");
    EXPECT_EQ(batch.warnings().back(), "and 139980 more like these");
    Remarks longest;
    longest.unknown(std::string(1'000'000, 'k'), std::string(1'000'000, 'k'), "unknown member", {"kind"});
    EXPECT_LT(longest.warnings().front().size(), 300u);
}

TEST(Remarks, ARefusalNamesTheFirst) {
    Remarks out;
    EXPECT_TRUE(out.empty());
    out.add("a", "no reason");
    out.add("b", "another");
    EXPECT_EQ(out.refusal(), "Invalid a: no reason");
}

// vectorize-io/hindsight#802: a filter that is not known gave everything.
TEST(RequestRemarks, OfTheQuery) {
    http::Request request;
    request.query = {{"state", "failed"}, {"limt", "5"}, {"_", "1"}};
    Remarks out;
    remarkOnQuery(request, {"state", "limit"}, out);
    EXPECT_THAT(out.warnings(),
                ElementsAre("?limt is ignored: unknown query parameter; did you mean 'limit'?",
                            "?_ is ignored: unknown query parameter"));
}

TEST(RequestRemarks, OfProvidersThatAreNotThere) {
    engine::Snapshot snapshot;
    for (const auto* name : {"gemini", "groq"}) snapshot.providers.emplace_back().spec.name = name;
    engine::GenerateRequest request;
    request.preferred = {"Gemini", "gemin"};
    request.excluded = {"cohere"};
    Remarks out;
    remarkOnProviders(request, snapshot, out);
    EXPECT_THAT(out.warnings(),
                ElementsAre("preferredProviders[1] is ignored: no provider has that name; did you mean "
                            "'gemini'?",
                            "excludeProviders[0] is ignored: no provider has that name"));
}

TEST(RequestRemarks, OfHeadersThatMeanNothingHere) {
    const auto told = [](Use use, http::Headers headers) {
        http::Request request;
        request.headers = std::move(headers);
        Remarks out;
        remarkOnHeaders(request, use, out);
        return out.warnings();
    };
    const http::Headers wait = {{"x-request-timeout-ms", "5"}}, once = {{"idempotency-key", "k"}};
    EXPECT_EQ(told(Use::Job, once), Lines{});
    EXPECT_EQ(told(Use::Immediate, wait), Lines{});
    EXPECT_EQ(told(Use::Job, wait).size(), 1u);
    EXPECT_EQ(told(Use::Immediate, once).size(), 1u);
}

}  // namespace
}  // namespace stepper::api
