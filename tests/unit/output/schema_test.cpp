#include "core/output/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper::output {
namespace {

json::Document parsed(std::string_view text) {
    auto document = json::parse(text);
    if (!document) ADD_FAILURE() << text << ": " << document.error().message;
    return document ? std::move(document).value() : json::Document();
}

std::string refusal(std::string_view text) {
    const auto schema = OutputSchema::parse(parsed(text));
    if (schema) return "accepted";
    EXPECT_EQ(schema.error().error_class, ErrorClass::InvalidRequest);
    return schema.error().message;
}

std::string check(std::string_view schema, std::string_view value) {
    const auto compiled = OutputSchema::parse(parsed(schema));
    if (!compiled) return compiled.error().message;
    const auto outcome = compiled->validate(parsed(value));
    if (outcome) return "";
    EXPECT_EQ(outcome.error().error_class, ErrorClass::BadResponse);
    return outcome.error().message;
}

TEST(OutputSchema, RefusesWithTheContractsSentences) {
    struct Case {
        const char* schema;
        const char* sentence;
    };
    const Case cases[] = {
        {"[]", "Invalid outputSchema: expected object"},
        {"{}", "Invalid outputSchema.kind: expected 'http-json' for HTTP transport"},
        {R"({"kind":"zod"})", "Invalid outputSchema.kind: expected 'http-json' for HTTP transport"},
        {R"({"kind":7})", "Invalid outputSchema.kind: expected 'http-json' for HTTP transport"},
        {R"({"kind":"http-json","properties":{"a":{"type":"date"}}})",
         "Invalid outputSchema.properties.a.type: expected one of string, number, boolean, array, object"},
        {R"({"kind":"http-json","properties":{"a":{}}})",
         "Invalid outputSchema.properties.a: expected an object with a type"},
        {R"({"kind":"http-json","properties":{" ":{"type":"string"}}})",
         "Invalid outputSchema.properties key: keys must be non-empty"},
        {R"({"kind":"http-json","properties":{"a":{"type":"object","requiredKeys":["b",""]}}})",
         "Invalid outputSchema.properties.a.requiredKeys: expected array of non-empty strings"},
        {R"({"kind":"http-json","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":1}}}}}})",
         "Invalid outputSchema.properties.a.items.properties.b.type: expected one of string, number, "
         "boolean, array, "
         "object"},
        {R"({"kind":"http-json","properties":[]})", "Invalid outputSchema.properties: expected object map"},
        {R"({"kind":"http-json","properties":{"a":"string"}})",
         "Invalid outputSchema.properties.a: expected an object with a type"},
        {R"({"kind":"http-json","requiredKeys":"a"})",
         "Invalid outputSchema.requiredKeys: expected array of non-empty strings"},
        {R"({"kind":"http-json","requiredKeys":["a",1]})",
         "Invalid outputSchema.requiredKeys: expected array of non-empty strings"},
        {R"({"kind":"http-json","allowAdditionalKeys":"no"})",
         "Invalid outputSchema.allowAdditionalKeys: expected boolean"},
        {R"({"kind":"http-json","items":{"type":"string"}})",
         "Invalid outputSchema: items and item limits are only valid for arrays"},
        {R"({"kind":"http-json","properties":{"a":{"type":"string","minItems":1}}})",
         "Invalid outputSchema.properties.a: items and item limits are only valid for arrays"},
        {R"({"kind":"http-json","properties":{"a":{"type":"array","items":[]}}})",
         "Invalid outputSchema.properties.a.items: expected an object with a type"},
        {R"({"kind":"http-json","properties":{"a":{"type":"array","minItems":-1}}})",
         "Invalid outputSchema.properties.a.minItems: expected a non-negative integer"},
        {R"({"kind":"http-json","properties":{"a":{"type":"array","maxItems":1.5}}})",
         "Invalid outputSchema.properties.a.maxItems: expected a non-negative integer"},
        {R"({"kind":"http-json","properties":{"a":{"type":"array","minItems":3,"maxItems":2}}})",
         "Invalid outputSchema.properties.a.minItems: must not exceed maxItems"},
        {R"({"kind":"json-schema"})", "Invalid outputSchema.schema: expected object"},
        {R"({"kind":"json-schema","schema":{"type":"date"}})",
         "Invalid outputSchema.schema: /type: expected one of null, boolean, object, array, string, number, "
         "integer"},
        {R"s({"kind":"json-schema","schema":{"properties":{"a":{"pattern":"(x"}}}})s",
         "Invalid outputSchema.schema: /properties/a/pattern: the pattern cannot be used: missing ): (x"},
    };
    for (const Case& c : cases) EXPECT_EQ(refusal(c.schema), c.sentence) << c.schema;
}

std::string nested(int levels) {
    std::string node = R"({"type":"string"})";
    for (int i = 1; i < levels; ++i) node = R"({"type":"array","items":)" + node + "}";
    return R"({"kind":"http-json","properties":{"a":)" + node + "}}";
}

TEST(OutputSchema, NestsEightLevelsBelowAProperty) {
    EXPECT_EQ(refusal(nested(9)), "accepted");
    EXPECT_EQ(
        refusal(nested(10)),
        "Invalid outputSchema.properties.a.items.items.items.items.items.items.items.items.items: schema "
        "nesting is limited to 8 levels");
}

TEST(OutputSchema, EnforcesTheNotation) {
    constexpr auto kProduct =
        R"({"kind":"http-json","requiredKeys":["product","price"],
            "properties":{"product":{"type":"string"},"price":{"type":"number"}},"allowAdditionalKeys":false})";
    constexpr auto kOpen = R"({"kind":"http-json","properties":{"a":{"type":"boolean"}}})";
    constexpr auto kLoose = R"({"kind":"http-json","requiredKeys":["a"],"allowAdditionalKeys":false})";
    constexpr auto kDeep =
        R"({"kind":"http-json","properties":{"list":{"type":"array","minItems":1,"maxItems":2,"items":
            {"type":"object","requiredKeys":["n"],"properties":{"n":{"type":"number"}},"allowAdditionalKeys":false}}}})";
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {kProduct, R"({"product":"Coffee beans","price":18})", ""},
        {kProduct, R"({"product":"x"})", "value: the required member \"price\" is missing"},
        {kProduct, R"({"product":"x","price":"18"})", "/price: not of type number"},
        {kProduct, R"({"product":"x","price":18,"extra":1})", "/extra: not allowed"},
        {kProduct, "[1]", "value: not of type object"},
        {R"({"kind":"http-json"})", R"({"anything":1})", ""},
        {R"({"kind":"http-json"})", "7", "value: not of type object"},
        {kOpen, R"({"a":true,"b":1})", ""},
        {kOpen, R"({"b":1})", ""},
        {kOpen, R"({"a":null})", "/a: not of type boolean"},
        {kLoose, R"({"a":1,"b":2})", ""},
        {kDeep, R"({"list":[{"n":1},{"n":2.5}]})", ""},
        {kDeep, R"({"list":[]})", "/list: fewer items than 1"},
        {kDeep, R"({"list":[{"n":1},{"n":1},{"n":1}]})", "/list: more items than 2"},
        {kDeep, R"({"list":[{"n":1},{"n":"x"}]})", "/list/1/n: not of type number"},
        {kDeep, R"({"list":[{"n":1,"m":1}]})", "/list/0/m: not allowed"},
        {kDeep, R"({"list":{}})", "/list: not of type array"},
        {R"({"kind":"json-schema","schema":{"type":"array","items":{"type":"integer"}}})", "[1,2]", ""},
        {R"({"kind":"json-schema","schema":{"type":"array","items":{"type":"integer"}}})", "[1,2.5]",
         "/1: not of type integer"},
        {R"({"kind":"json-schema","schema":true})", "7", ""},
    };
    for (const auto& [schema, value, detail] : cases) {
        const std::string expected =
            std::string_view(detail).empty() ? "" : std::string("Output schema validation failed: ") + detail;
        EXPECT_EQ(check(schema, value), expected) << schema << " on " << value;
    }
}

TEST(OutputSchema, TakesASchemaOutOfAProvidersWrapping) {
    constexpr auto kSchema =
        R"({"type":"object","properties":{"price":{"type":"number"}},"required":["price"]})";
    for (const std::string wrapping : {
             R"({"name":"x","strict":true,"schema":$})",
             R"({"name":"x","description":"d","schema":$})",
             R"({"schema":$})",
             R"({"type":"json_schema","json_schema":{"name":"x","strict":true,"schema":$}})",
             R"({"type":"json_schema","name":"x","schema":$})",
             R"({"type":"function","function":{"name":"x","parameters":$}})",
             R"({"name":"x","input_schema":$})",
         }) {
        std::string given = wrapping;
        given.replace(given.find('$'), 1, kSchema);
        const auto schema = OutputSchema::parse(parsed(R"({"kind":"json-schema","schema":)" + given + "}"));
        ASSERT_TRUE(schema.ok()) << given << ": " << schema.error().message;
        EXPECT_EQ(schema->jsonSchema(), kSchema) << given;
        EXPECT_FALSE(schema->validate(parsed(R"({"wrong":true})")).ok()) << given;
        EXPECT_TRUE(schema->validate(parsed(R"({"price":18})")).ok()) << given;
    }
    // A schema of things that are called so is none.
    constexpr auto kOfSchemas = R"({"type":"object","properties":{"name":{},"schema":{"type":"object"}}})";
    EXPECT_EQ(
        OutputSchema::parse(parsed(std::string(R"({"kind":"json-schema","schema":)") + kOfSchemas + "}"))
            ->jsonSchema(),
        kOfSchemas);
}

TEST(OutputSchema, RefusesWhatConstrainsNothing) {
    for (const char* schema : {
             R"({"product":"string","price":"number"})",
             R"({"product":{"type":"string"},"price":{"type":"number"}})",
             R"({"title":{"type":"string"},"description":{"type":"string"}})",
             R"({"name":"x","strict":true})",
             R"({"name":"x","strict":true,"schema":{"price":18}})",
             R"({"$schema":"https://json-schema.org/draft/2020-12/schema","price":"number"})",
         })
        EXPECT_THAT(refusal(std::string(R"({"kind":"json-schema","schema":)") + schema + "}"),
                    testing::StartsWith("Invalid outputSchema.schema: it constrains nothing"))
            << schema;
    for (const char* schema : {"{}", "true", R"({"description":"any JSON"})", R"({"x-own":1})",
                               R"({"$ref":"#/d","d":{"type":"string"}})"})
        EXPECT_EQ(refusal(std::string(R"({"kind":"json-schema","schema":)") + schema + "}"), "accepted")
            << schema;
}

TEST(OutputSchema, TranslatesForProviders) {
    const auto schema = OutputSchema::parse(parsed(
        R"({"kind":"http-json","requiredKeys":["a"],"allowAdditionalKeys":false,
            "properties":{"a":{"type":"array","items":{"type":"object","allowAdditionalKeys":false},"maxItems":3}}})"));
    ASSERT_TRUE(schema.ok());
    EXPECT_EQ(
        schema->jsonSchema(),
        R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"object"},"maxItems":3}},)"
        R"("required":["a"],"additionalProperties":false})");

    const auto given = OutputSchema::parse(parsed(R"({"kind":"json-schema","schema":{"type":"string"}})"));
    ASSERT_TRUE(given.ok());
    EXPECT_EQ(given->jsonSchema(), R"({"type":"string"})");
}

}  // namespace
}  // namespace stepper::output
