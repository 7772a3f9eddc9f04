#include "core/api/batch_request.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

std::string problem(std::string_view text) {
    const auto parsed = parseBatch(text, 3, 5);
    const auto* bad = std::get_if<BadRequest>(&parsed);
    return bad ? bad->sentence : "";
}

ParsedBatch sound(std::string_view text) {
    auto parsed = parseBatch(text, 3, 5);
    EXPECT_TRUE(std::holds_alternative<ParsedBatch>(parsed)) << std::get<BadRequest>(parsed).sentence;
    return std::get<ParsedBatch>(std::move(parsed));
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
              "Invalid items[0].request: expected a generate request");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x"}},{"request":{"prompt":"x"}}]})"),
              "Invalid items[1].id: expected a non-empty string of at most 128 characters");
    EXPECT_EQ(problem(R"({"items":[1,2,3,4]})"), "Batch must have at most 3 items");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x"}}],"concurrency":6})"),
              "Invalid concurrency: expected an integer from 1 to 5");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":"x"}}],"concurrency":0})"),
              "Invalid concurrency: expected an integer from 1 to 5");
    EXPECT_EQ(problem(R"({"items":[{"id":"a","request":{"prompt":" "}}]})"),
              "Invalid items[0].request: Rendered prompt is empty. Provide a non-empty prompt or template.");
    EXPECT_EQ(problem(R"({"strict":1,"items":[{"id":"a","request":{"prompt":"x"}}]})"),
              "Invalid strict: expected true or false");
    EXPECT_EQ(problem(R"({"requestId":7,"items":[{"id":"a","request":{"prompt":"x"}}]})"),
              "Invalid requestId: expected a non-empty string of at most 256 characters");
}

TEST(BatchRequest, RemarksStandWhereTheyBelong) {
    const auto batch = sound(
        R"({"concurency":1,"strict":true,"items":[{"id":"a","request":{"prompt":"x","topK":1}}]})");
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
    EXPECT_EQ(batch.items[1].parsed.request.mode, output::Mode::Text);
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
