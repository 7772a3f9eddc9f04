#include "core/output/validate.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper::output {
namespace {

std::string processed(std::string_view text, Mode mode, std::string_view schema_text = "") {
    std::optional<OutputSchema> schema;
    if (!schema_text.empty()) schema = OutputSchema::parse(json::parse(schema_text).value()).value();
    const auto processed = process(text, mode, schema ? &*schema : nullptr, "stop");
    if (processed) return processed->value;
    EXPECT_EQ(processed.error().error_class, ErrorClass::BadResponse);
    return processed.error().message;
}

// The captured exchanges: what the model said, and what the client saw of it.
TEST(Process, ContractCases) {
    EXPECT_EQ(processed("```json\n{\"product\":\"Coffee beans\",\"price\":18}\n```", Mode::Json),
              R"({"product":"Coffee beans","price":18})");
    EXPECT_EQ(processed("[1,2,3]", Mode::Json), "[1,2,3]");
    EXPECT_EQ(processed("I am not JSON", Mode::Json),
              "Validation failed: Response does not appear to be valid JSON format. Provider may have "
              "returned an error "
              "message.");
    EXPECT_EQ(processed(R"({"product":"Coffee beans","price":18})", Mode::Json,
                        R"({"kind":"http-json","requiredKeys":["product","price"],"properties":
                            {"product":{"type":"string"},"price":{"type":"number"}},"allowAdditionalKeys":false})"),
              R"({"product":"Coffee beans","price":18})");
    EXPECT_THAT(processed(R"({"product":"x"})", Mode::Json,
                          R"({"kind":"http-json","requiredKeys":["product","price"],"properties":
                              {"product":{"type":"string"}}})"),
                testing::StartsWith("Validation failed: Output schema validation failed"));
}

TEST(Process, TextIsPassedThroughAsItIs) {
    EXPECT_EQ(processed("  {not json}\n", Mode::Text), "\"  {not json}\\n\"");
    EXPECT_EQ(processed("```json\n1\n```", Mode::Text), "\"```json\\n1\\n```\"");
    EXPECT_EQ(processed("", Mode::Text), "Validation failed: Response is empty.");
    EXPECT_EQ(processed(" \n ", Mode::Text), "Validation failed: Response is empty.");
}

TEST(Process, CommitReport) {
    EXPECT_EQ(processed("Here: {\"title\":\"A fine title\"}", Mode::CommitReport),
              "Validation failed: summary: missing; changes: missing; rationale: missing; impact_and_tests: "
              "missing; "
              "next_steps: missing; tags: missing");
    EXPECT_THAT(processed("no report", Mode::CommitReport),
                testing::StartsWith("Validation failed: Response does not appear"));
}

}  // namespace
}  // namespace stepper::output
