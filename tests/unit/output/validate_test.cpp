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
              "message. For an answer that is text as it stands, send \"responseMode\": \"text\".");
    EXPECT_THAT(processed("I am not JSON", Mode::Json, R"({"kind":"http-json"})"),
                testing::EndsWith("Provider may have returned an error message."));
    EXPECT_EQ(processed(R"({"product":"Coffee beans","price":18})", Mode::Json,
                        R"({"kind":"http-json","requiredKeys":["product","price"],"properties":
                            {"product":{"type":"string"},"price":{"type":"number"}},"allowAdditionalKeys":false})"),
              R"({"product":"Coffee beans","price":18})");
    EXPECT_THAT(processed(R"({"product":"x"})", Mode::Json,
                          R"({"kind":"http-json","requiredKeys":["product","price"],"properties":
                              {"product":{"type":"string"}}})"),
                testing::StartsWith("Validation failed: Output schema validation failed"));
}

std::string listOf(int count, const std::string& value) {
    std::string out = "[";
    for (int i = 0; i < count; ++i) out += (i ? "," : "") + value;
    return out + "]";
}

// Or an answer could take as many times what is granted as it has values.
TEST(Process, AllCandidatesShareTheStepsThatASchemaMayTake) {
    const std::string schema =
        R"({"kind":"json-schema","schema":{"items":{"allOf":)" + listOf(5'000, "{}") + "}}}";
    EXPECT_EQ(processed("One:\n[1, 2]\n", Mode::Json, schema), "[1,2]");
    EXPECT_EQ(
        processed("One:\n[1, 2]\nAnother:\n" + listOf(5'000, "0") + "\n", Mode::Json, schema),
        "Validation failed: Output schema validation failed: checking the value against its schema takes "
        "too long");
}

// The client may have left, or its time be up, while a large answer is read or held against its schema.
TEST(Process, WhatNobodyWaitsForIsNotReadToItsEnd) {
    const Interrupt gone = [] { return Error{ErrorClass::Cancelled, "client_gone"}; };
    const auto all_of = [](int schemas) {
        return OutputSchema::parse(json::parse(R"({"kind":"json-schema","schema":{"items":{"allOf":)" +
                                               listOf(schemas, "{}") + "}}}")
                                       .value())
            .value();
    };
    const auto outcome = [&](const std::string& text, const OutputSchema* schema = nullptr) {
        const auto done = process(text, Mode::Json, schema, "stop", gone);
        return done ? "answered" : done.error().message;
    };
    const auto easy = all_of(1), hard = all_of(5'000);
    const std::string prose = "In short, or at length: " + std::string(Effort::kLookEvery, '`');
    std::string examples;
    while (examples.size() < 2 * Effort::kLookEvery) examples += R"(such as {"a":1} and )";
    EXPECT_EQ(outcome(listOf(20, "1")), "answered") << "what takes no time is not cut";
    EXPECT_EQ(outcome(listOf(20, "1"), &easy), "answered");
    EXPECT_EQ(outcome(listOf(80'000, "1")), "client_gone");
    EXPECT_EQ(outcome(listOf(80'000, "[x]")), "client_gone");
    EXPECT_EQ(outcome("```json\n" + listOf(80'000, "1") + "\n```"), "client_gone");
    EXPECT_EQ(outcome(examples), "client_gone");
    EXPECT_EQ(outcome(listOf(20, "1"), &hard), "client_gone");
    EXPECT_EQ(process(prose, Mode::Text, nullptr, "stop", gone).value().value.size(), prose.size() + 2);
}

// A draft, an example or a citation is judged, too, and fails.
TEST(Process, TheSchemaChoosesAmongTheCandidates) {
    constexpr auto kProduct =
        R"({"kind":"http-json","requiredKeys":["product","price"],
            "properties":{"product":{"type":"string"},"price":{"type":"number"}}})";
    constexpr auto kAnswer = R"({"product":"Coffee beans","price":18})";
    for (const std::string before :
         {"According to [1]: ", "- [ ] check\n- [x] extract\n\n", "main() {} is empty. ", "Errors: []. ",
          "{\"draft\":true}\n\n", "```json\n{\"product\":\"Tea\"}\n```\nNo, it is:\n"})
        for (const std::string after :
             {"", "\n\nSee [2].", "\n\nTests: {\"passed\":3}", "\n```json\n{\"n\":1}\n```\n"})
            EXPECT_EQ(processed(before + kAnswer + after, Mode::Json, kProduct), kAnswer) << before << after;
    EXPECT_EQ(processed("The ids are [4, 8].", Mode::Json,
                        R"({"kind":"json-schema","schema":{"type":"array","items":{"type":"integer"}}})"),
              "[4,8]");
    // What the best of them lacks is told.
    EXPECT_EQ(processed("See [1]: {\"product\":\"x\"}", Mode::Json, kProduct),
              "Validation failed: Output schema validation failed: value: the required member \"price\" is "
              "missing");
    EXPECT_EQ(
        processed("Like {\"product\":\"x\",\"price\":0}. So:\n{\"product\":\"Cof", Mode::Json, kProduct),
        "Validation failed: The response ends inside its JSON value.");
}

TEST(Process, SaysWhatWasRepairedAndWhatWasCut) {
    const auto told = [](std::string_view text, std::string_view finish) {
        const auto p = process(text, Mode::Json, nullptr, finish);
        if (!p) return p.error().message;
        return std::string(p->repaired ? "repaired " : "") + (p->cut ? "cut " : "") + p->value;
    };
    EXPECT_EQ(told("Here: {\"a\":1}", "stop"), R"({"a":1})");
    EXPECT_EQ(told("{'a':1,}", "stop"), R"(repaired {"a":1})");
    EXPECT_EQ(told("```json\n{\"a\":\"x\ny\"}\n```", ""), R"(repaired {"a":"x\ny"})");
    EXPECT_EQ(told("{\"a\":1,\"b\":[2,3", "length"), R"(repaired cut {"a":1,"b":[2]})");
    EXPECT_EQ(told("{\"a\":1,\"b\":[2,3", "stop"), R"(repaired cut {"a":1,"b":[2,3]})");
    EXPECT_EQ(told("{'a':1} is wrong, {\"a\":1} is right", "stop"), R"({"a":1})");
}

TEST(Process, ARepairedAnswerHasToFitItsSchema) {
    constexpr auto kList =
        R"({"kind":"json-schema","schema":{"type":"array","items":{"required":["a","b"]}}})";
    EXPECT_EQ(processed("[{'a':1,'b':2},]", Mode::Json, kList), R"([{"a":1,"b":2}])");
    EXPECT_EQ(processed(R"([{"a":1,"b":2},{"a":1)", Mode::Json, kList),
              "Validation failed: Output schema validation failed: /1: the required member \"b\" is missing");
}

TEST(Process, NumbersKeepTheirDigits) {
    constexpr auto kNumbers =
        R"({"wei":123456789012345678901,"id":18446744073709551616,"ok":9007199254740993,"zero":-0,"whole":1.0,)"
        R"("third":0.33333333333333333333333333,"cent":18.50,"huge":1e400,"tiny":-1E-999,"exp":1e5})";
    EXPECT_EQ(processed(kNumbers, Mode::Json), kNumbers);
    EXPECT_EQ(
        processed(kNumbers, Mode::Json, R"({"kind":"http-json","properties":{"wei":{"type":"number"}}})"),
        kNumbers);
    EXPECT_EQ(processed("It is:\n```json\n{'wei': 123456789012345678901,}\n```", Mode::Json),
              R"({"wei":123456789012345678901})");
    EXPECT_EQ(processed("123456789012345678901", Mode::Json), "123456789012345678901");
    EXPECT_EQ(processed("[1e400]", Mode::Json,
                        R"({"kind":"json-schema","schema":{"items":{"type":"number","maximum":10}}})"),
              "Validation failed: Output schema validation failed: /0: above the maximum of 10");
}

TEST(Process, TellsWhatOfTheSchemaIsNotEnforced) {
    const auto schema = OutputSchema::parse(
        json::parse(
            R"({"kind":"json-schema","schema":{"properties":{"v":{"type":"string","pattern":"^(?!a).*$"}}}})")
            .value());
    ASSERT_TRUE(schema.ok()) << schema.error().message;
    const auto p = process(R"({"v":"x"})", Mode::Json, &*schema, "stop");
    ASSERT_TRUE(p.ok());
    EXPECT_THAT(p->warnings,
                testing::ElementsAre(testing::StartsWith("/properties/v/pattern is not enforced: ")));
}

TEST(Process, TextIsPassedThroughAsItIs) {
    EXPECT_EQ(processed("  {not json}\n", Mode::Text), "\"  {not json}\\n\"");
    EXPECT_EQ(processed("```json\n1\n```", Mode::Text), "\"```json\\n1\\n```\"");
    EXPECT_EQ(processed("", Mode::Text), "Validation failed: Response is empty.");
    EXPECT_EQ(processed(" \n ", Mode::Text), "Validation failed: Response is empty.");
}

}  // namespace
}  // namespace stepper::output
