#include "core/api/batch_request.h"

#include <gtest/gtest.h>

#include "core/api/refusal.h"

namespace stepper::api {
namespace {

std::string problem(std::string_view text) {
    const auto parsed = parseBatch(text, 3, 5);
    return parsed ? "" : parsed.error().message;
}

ParsedBatch sound(std::string_view text) {
    auto parsed = parseBatch(text, 3, 5);
    EXPECT_TRUE(parsed.ok()) << parsed.error().message;
    return std::move(parsed).value();
}

TEST(BatchRequest, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(problem("{}"), "Batch items must be a non-empty array");
    EXPECT_EQ(problem(R"({"items":{}})"), "Batch items must be a non-empty array");
    EXPECT_EQ(
        problem(R"({"items":[{"id":"a","request":{"prompt":"x"}},{"id":"a","request":{"prompt":"y"}}]})"),
        "Batch item IDs must be unique (duplicate: 'a')");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{}}]})"),
              "Invalid items[0].request: Missing required field: prompt");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":7}]})"),
              "Invalid items[0]: expected an object with a unique id and request object");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x"}},{"request":{"prompt":"x"}}]})"),
              "Invalid items[1]: expected an object with a unique id and request object");
    EXPECT_EQ(problem(R"({"items":[1,2,3,4]})"), "Batch cannot contain more than 3 items");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x"}}],"concurrency":6})"),
              "Invalid concurrency: expected an integer from 1 to 5");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x"}}],"concurrency":0})"),
              "Invalid concurrency: expected an integer from 1 to 5");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":" "}}]})"),
              "Invalid items[0].request: Rendered prompt is empty. Provide a non-empty prompt or template.");
    EXPECT_EQ(problem(R"({"strict":1,"items":[{"id":"a","request":{"prompt":"x"}}]})"),
              "Invalid strict: expected true or false");
    EXPECT_EQ(problem(R"({"requestId":7,"items":[{"id":"a","request":{"prompt":"x"}}]})"),
              "Invalid requestId: expected a string up to 256 characters");
}

TEST(BatchRequest, RemarksStandWhereTheyBelong) {
    const auto batch =
        sound(R"({"concurency":1,"strict":true,"items":[{"id":"a","request":{"prompt":"x","topK":1}}]})");
    EXPECT_TRUE(batch.strict);
    EXPECT_EQ(batch.remarks.warnings(),
              std::vector<std::string>{"concurency is ignored: unknown member; did you mean 'concurrency'?"});
    EXPECT_EQ(batch.items[0].parsed.remarks.warnings(),
              std::vector<std::string>{"topK is ignored: unknown member"});
}

TEST(BatchRequest, KeepsOrderAndIds) {
    const auto batch = sound(R"({"items":[{"id":"b","request":{"prompt":"x"}},
                                          {"id":"a","request":{"prompt":"y","responseMode":"text"}}],
                                 "concurrency":2})");
    ASSERT_EQ(batch.items.size(), 2u);
    EXPECT_EQ(batch.items[0].id, "b");
    EXPECT_EQ(batch.items[1].id, "a");
    EXPECT_EQ(batch.items[1].parsed.request.labels().response_mode, "text");
    EXPECT_EQ(batch.concurrency, 2);
}

TEST(BatchRequest, AnItemSaysItsOwnPriorityAndTimeLimit) {
    const auto batch = sound(R"({"priority":7,"maxDurationSeconds":60,"items":[
        {"id":"a","request":{"prompt":"x","priority":0,"maxDurationSeconds":1.5}},
        {"id":"b","request":{"prompt":"x"}}]})");
    EXPECT_EQ(batch.items[0].parsed.priority, 0);
    EXPECT_EQ(batch.items[0].parsed.max_duration, milliseconds{1'500});
    EXPECT_FALSE(batch.items[1].parsed.priority);
    EXPECT_FALSE(batch.items[1].parsed.max_duration);
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x","maxDurationSeconds":0}}]})"),
              "Invalid items[0].request: Invalid maxDurationSeconds: expected a positive number of at most "
              "3600");
}

TEST(BatchRequest, AWrongVersionIsSaidToBeOne) {
    for (const char* body : {R"({"contractVersion":"2"})",
                             R"({"items":[{"id":"a","request":{"prompt":"x","contractVersion":1}}]})"}) {
        const auto parsed = parseBatch(body, 3, 5);
        const auto answer = badRequest(parsed.error(), "").body;
        EXPECT_NE(answer.find(R"("errorCode":"SCHEMA_VERSION_MISMATCH")"), std::string::npos) << answer;
    }
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x","contractVersion":"2"}}]})"),
              "Invalid items[0].request: Request contract version is not supported");
}

TEST(BatchRequest, ItsRequestIdIsPartOfEachItems) {
    const auto batch =
        sound(R"({"requestId":"r","items":[{"id":" a ","request":{"prompt":"x","requestId":""}},
                                 {"id":"b","request":{"prompt":"x","requestId":"own"}}]})");
    EXPECT_TRUE(batch.remarks.empty());
    EXPECT_EQ(batch.items[0].parsed.request.request_id, "r:a");
    EXPECT_EQ(batch.items[1].parsed.request.request_id, "own");
    EXPECT_EQ(decodeStored("generate", batch.items[0].body)->request_id, "r:a");
    EXPECT_EQ(sound(R"({"requestId":"","items":[{"id":"a","request":{"prompt":"x"}}]})")
                  .items[0]
                  .parsed.request.request_id,
              "");
    // The longest of both together can be read again.
    const std::string longest = R"({"requestId":")" + std::string(256, 'r') + R"(","items":[{"id":")" +
                                std::string(128, 'i') + R"(","request":{"prompt":"x"}}]})";
    EXPECT_TRUE(decodeStored("generate", sound(longest).items[0].body).ok());
}

TEST(BatchRequest, WhatAnItemSaysIsForItsRequest) {
    const auto batch = sound(R"({"items":[
        {"id":"a","priority":1,"maxDurationSeconds":2,"callbacks":[{"url":"https://a.example"}],
         "request":{"prompt":"x"}},
        {"id":"b","priority":1,"request":{"prompt":"x","priority":0}}]})");
    EXPECT_EQ(batch.items[0].parsed.priority, 1);
    EXPECT_EQ(batch.items[0].parsed.max_duration, milliseconds{2'000});
    EXPECT_NE(batch.items[0].body.find("https://a.example"), std::string::npos);
    EXPECT_EQ(batch.items[1].parsed.priority, 0);
    EXPECT_EQ(batch.remarks.warnings(),
              std::vector<std::string>{"items[1].priority is ignored: its request has its own"});
    EXPECT_EQ(problem(R"({"items":[{"id":"a","callbacks":[{"url":"x"}],"request":{"prompt":"x"}}]})"),
              "Invalid items[0].request: callbacks.0.url: Invalid url");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","priority":10,"request":{"prompt":"x"}}]})"),
              "Invalid items[0].request: Invalid priority: expected an integer from 0 (first) to 9 (last)");
}

TEST(BatchRequest, StartsAsAWhole) {
    const auto batch = sound(R"({"delaySeconds":60,"items":[{"id":"a","request":{"prompt":"x"}}]})");
    EXPECT_EQ(batch.start.in, milliseconds{60'000});
    EXPECT_TRUE(batch.remarks.empty());
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x","delaySeconds":60}}]})"),
              "Invalid items[0].request: runAt and delaySeconds are for the whole batch");
    EXPECT_EQ(problem(R"({"runAt":"soon","items":[{"id":"a","request":{"prompt":"x"}}]})"),
              "Invalid runAt: expected a moment with its offset, such as '2026-11-21T08:12:22+01:00'");
}

TEST(BatchRequest, ItemsBelongToTheBatchsTenantUnlessTheySayOtherwise) {
    const auto batch = sound(R"({"tenantId":"t","items":[{"id":"a","request":{"prompt":"x"}},
                                 {"id":"b","request":{"prompt":"x","tenantId":"own"}}]})");
    EXPECT_EQ(batch.items[0].parsed.request.tenant_id, "t");
    EXPECT_EQ(batch.items[1].parsed.request.tenant_id, "own");
    // What is stored reads the same again.
    const auto again = decodeStored("generate", batch.items[0].body);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->tenant_id, "t");
}

}  // namespace
}  // namespace stepper::api
