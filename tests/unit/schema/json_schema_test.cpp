#include "core/schema/json_schema.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper {
namespace {

using testing::HasSubstr;

json::Document parsed(std::string_view text) {
    auto document = json::parse(text);
    if (!document) ADD_FAILURE() << text << ": " << document.error().message;
    return document ? std::move(document).value() : json::Document();
}

JsonSchema compiled(std::string_view text) {
    auto schema = JsonSchema::compile(parsed(text));
    if (!schema) ADD_FAILURE() << text << ": " << schema.error().message;
    return schema ? std::move(schema).value() : JsonSchema::compile(parsed("true")).value();
}

// "" when the value fits.
std::string check(std::string_view schema, std::string_view value) {
    const auto outcome = compiled(schema).validate(parsed(value));
    if (outcome) return "";
    EXPECT_EQ(outcome.error().error_class, ErrorClass::BadResponse);
    return outcome.error().message;
}

std::string refusal(std::string_view schema) {
    const auto outcome = JsonSchema::compile(parsed(schema));
    if (outcome) return "accepted";
    EXPECT_EQ(outcome.error().error_class, ErrorClass::InvalidRequest);
    return outcome.error().message;
}

TEST(JsonSchema, ErrorsNameThePlaceAndTheDemand) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {R"({"properties":{"items":{"items":{"properties":{"price":{"type":"number"}}}}}})",
         R"({"items":[{},{},{},{"price":"7"}]})", "/items/3/price: not of type number"},
        {R"({"type":["string","null"]})", "1", "value: not of type string or null"},
        {R"({"required":["a"]})", "{}", "value: the required member \"a\" is missing"},
        {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1,"b/c~":2})",
         "/b~1c~0: not allowed"},
        {R"({"enum":["a",1]})", R"("b")", "value: not an allowed value"},
        {R"({"minimum":5})", "4", "value: below the minimum of 5"},
        {R"({"minimum":5,"exclusiveMinimum":true})", "5", "value: not above 5"},
        {R"({"exclusiveMaximum":5})", "5", "value: not below 5"},
        {R"({"multipleOf":0.01})", "0.075", "value: not a multiple of 0.01"},
        {R"({"minLength":2})", "\"\xF0\x9F\x98\x80\"", "value: shorter than 2 characters"},
        {R"({"items":{"pattern":"^a$"}})", R"(["a","b"])", "/1: does not match the pattern \"^a$\""},
        {R"({"uniqueItems":true})", R"([{"a":1,"b":2},{"b":2.0,"a":1}])", "value: the items are not unique"},
        {R"({"anyOf":[{"type":"null"},{"properties":{"a":{"type":"string"}},"type":"object"}]})",
         R"({"a":1})", "/a: not of type string"},
        {R"({"oneOf":[{"type":"null"},{"type":"string"}]})", "1", "value: matches none of the alternatives"},
        {R"({"oneOf":[{"type":"number"},{"minimum":0}]})", "1",
         "value: matches more than one alternative of `oneOf`"},
        {R"({"not":{"type":"number"}})", "1", "value: matches what `not` excludes"},
        {"false", "1", "value: not allowed"},
    };
    for (const auto& [schema, value, message] : cases) EXPECT_EQ(check(schema, value), message) << schema;
}

TEST(JsonSchema, RefusesWhatItCannotEnforce) {
    const std::pair<const char*, const char*> cases[] = {
        {"3", "schema: a schema is an object or a boolean"},
        {R"({"properties":{"a":{"$ref":"http://x/y"}}})",
         "/properties/a/$ref: only references inside the schema"},
        {R"({"$ref":"#/nowhere"})", "/$ref: nothing in the schema is at #/nowhere"},
        {R"s({"items":{"pattern":"(a"}})s", "/items/pattern: the pattern cannot be used"},
        {R"({"dependentRequired":{"a":"b"}})", "/dependentRequired/a: expected an array of strings"},
        {R"({"prefixItems":{}})", "/prefixItems: expected a non-empty array of schemas"},
        {R"({"nullable":"yes"})", "/nullable: expected a boolean"},
        {R"({"patternProperties":{"[":{}}})", "/patternProperties/[: the pattern cannot be used: missing ]"},
        {R"({"$dynamicRef":"#node"})", "/$dynamicRef: this keyword is not supported"},
        {R"({"type":"date"})", "/type: expected one of null,"},
        {R"({"type":[]})", "/type: expected one of null,"},
        {R"({"minLength":-1})", "/minLength: expected a non-negative integer"},
        {R"({"maximum":"5"})", "/maximum: expected a number"},
        {R"({"multipleOf":0})", "/multipleOf: expected a number above 0"},
        {R"({"required":true})", "/required: expected an array of strings"},
        {R"({"enum":[]})", "/enum: expected a non-empty array"},
        {R"({"allOf":[]})", "/allOf: expected a non-empty array of schemas"},
        {R"({"properties":[]})", "/properties: expected an object"},
        {R"({"definitions":{"a":{"type":7}}})", "/definitions/a/type: expected one of"},
        {R"({"$ref":"#"})", "schema: $ref # leads back to itself"},
        {R"({"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}})",
         "leads back to itself"},
    };
    for (const auto& [schema, message] : cases) EXPECT_THAT(refusal(schema), HasSubstr(message)) << schema;
}

TEST(JsonSchema, KeywordsOfTheNewerDraftsCount) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})", R"(["a",1,2])", ""},
        {R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})", R"(["a","b"])",
         "/1: not of type integer"},
        {R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a",1])", "/1: not allowed"},
        {R"({"dependentRequired":{"card":["address"]}})", R"({"card":1})",
         "value: the required member \"address\" is missing"},
        {R"({"dependentSchemas":{"card":{"minProperties":2}}})", R"({"card":1})",
         "value: fewer members than 2"},
        {R"({"contains":{"type":"integer"},"minContains":2})", R"([1,"a"])",
         "value: too few items are as `contains` asks"},
        {R"({"contains":{"type":"integer"},"maxContains":1})", "[1,2]",
         "value: more items than `maxContains` are as `contains` asks"},
        {R"({"contains":{"type":"integer"},"minContains":0})", "[]", ""},
        {R"({"$ref":"#item","$defs":{"a":{"$anchor":"item","type":"integer"}}})", R"("x")",
         "value: not of type integer"},
        {R"({"$schema":"http://json-schema.org/draft-07/schema#","allOf":[{"$ref":"#item"}],
             "definitions":{"a":{"$id":"#item","type":"integer"}}})",
         R"("x")", "value: not of type integer"},
        {R"({"$id":"https://x.test/s","items":{"$ref":"https://x.test/s#/$defs/a"},"$defs":{"a":{"type":"integer"}}})",
         R"(["x"])", "/0: not of type integer"},
        {R"({"properties":{"a":{}},"allOf":[{"properties":{"b":{}}}],"unevaluatedProperties":false})",
         R"({"a":1,"b":2})", ""},
        {R"({"properties":{"a":{}},"allOf":[{"properties":{"b":{}}}],"unevaluatedProperties":false})",
         R"({"a":1,"c":2})", "/c: not allowed"},
        // what stands beside an old draft's reference is not even looked at
        {R"({"$schema":"http://json-schema.org/draft-07/schema#","allOf":[{"$ref":"#/definitions/a","anyOf":5}],
             "definitions":{"a":{}},"unevaluatedProperties":false})",
         R"({"x":1})", "/x: not allowed"},
        {R"({"$schema":"https://json-schema.org/draft/2019-09/schema","items":[{"type":"integer"}],
             "unevaluatedItems":false})",
         "[1,2]", "/1: not allowed"},
        {R"({"prefixItems":[{}],"unevaluatedItems":{"type":"integer"}})", R"(["a","b"])",
         "/1: not of type integer"},
        // what stands beside a reference counts, but where the draft says that it does not
        {R"({"$ref":"#/$defs/a","maxLength":1,"$defs":{"a":{"type":"string"}}})", R"("xx")",
         "value: longer than 1 characters"},
        {R"({"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/a","maxLength":1,
             "definitions":{"a":{"type":"string"}}})",
         R"("xx")", ""},
        // OpenAPI's way to allow null
        {R"({"type":"string","nullable":true})", "null", ""},
        {R"({"$ref":"#/$defs/a","nullable":true,"$defs":{"a":{"type":"string"}}})", "null", ""},
        {R"({"type":"string","nullable":false})", "null", "value: not of type string"},
    };
    for (const auto& [schema, value, message] : cases) EXPECT_EQ(check(schema, value), message) << schema;
}

TEST(JsonSchema, APatternThatCannotBeHeldIsNotEnforcedAndToldSo) {
    const std::string patterns[] = {
        R"(^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$)",                // Pydantic's Decimal, pydantic/pydantic#13017
        R"(^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)@.+$)",  // zod's e-mail address
        "^.{1,2000}$",
        R"((a)\\1)",
        R"(^\\p{Script=Greek}+$)",
        "(?<=x)y",
        std::string(5000, 'a'),
    };
    for (const std::string& pattern : patterns) {
        const JsonSchema schema = compiled(R"({"type":"string","maxLength":3,"pattern":")" + pattern + "\"}");
        ASSERT_EQ(schema.warnings().size(), 1u) << pattern;
        EXPECT_THAT(schema.warnings()[0], testing::StartsWith("/pattern is not enforced: ")) << pattern;
        EXPECT_TRUE(schema.validate(parsed("\"12\"")).ok()) << pattern;
        EXPECT_FALSE(schema.validate(parsed("\"1234\"")).ok()) << pattern;
    }
    EXPECT_TRUE(compiled(R"({"pattern":"^a{1,1000}$"})").warnings().empty());
}

// Not knowing whether it matches must not turn into knowing that it does not.
TEST(JsonSchema, NothingFollowsFromAPatternThatIsNotEnforced) {
    const std::pair<const char*, const char*> fits[] = {
        {R"s({"not":{"pattern":"^(?!a)"}})s", R"("x")"},
        {R"s({"oneOf":[{"pattern":"^(?!a)"},{"type":"string"}]})s", R"("x")"},
        {R"s({"if":{"pattern":"^(?!a)"},"then":false,"else":false})s", R"("x")"},
        {R"s({"contains":{"pattern":"^(?!a)"},"maxContains":1})s", R"(["x","y"])"},
        {R"s({"patternProperties":{"^(?!a)":false},"additionalProperties":false})s", R"({"x":1})"},
        {R"s({"propertyNames":{"pattern":"^(?!a)"}})s", R"({"x":1})"},
    };
    for (const auto& [schema, value] : fits) EXPECT_EQ(check(schema, value), "") << schema;
    EXPECT_EQ(check(R"s({"properties":{"n":{"type":"integer"}},"patternProperties":{"^(?!a)":true}})s",
                    R"s({"n":"x"})s"),
              "/n: not of type integer");
}

TEST(JsonSchema, AnnotationsAreNotChecked) {
    EXPECT_EQ(check(R"({"$schema":"x","$id":"y","title":"t","description":"d","default":1,"examples":[2],
                        "$comment":"c","format":"email","x-own":[]})",
                    R"("not an address")"),
              "");
}

TEST(JsonSchema, RecursiveSchemasFollowTheValue) {
    constexpr auto kTree = R"({"type":"object","properties":{"value":{"type":"number"},
                               "children":{"items":{"$ref":"#"}}},"required":["value"]})";
    EXPECT_EQ(check(kTree, R"({"value":1,"children":[{"value":2,"children":[{"value":3}]}]})"), "");
    EXPECT_EQ(check(kTree, R"({"value":1,"children":[{"value":2,"children":[{"value":"3"}]}]})"),
              "/children/0/children/0/value: not of type number");

    constexpr auto kNested =
        R"({"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[{"type":"null"},{"items":{"$ref":"#/$defs/n"},"type":"array"}]}}})";
    EXPECT_EQ(check(kNested, std::string(64, '[') + "null" + std::string(64, ']')), "");
    EXPECT_THAT(check(kNested, std::string(64, '[') + "1" + std::string(64, ']')), HasSubstr("/0/0/0"));
}

TEST(JsonSchema, IntegersKeepTheirPrecision) {
    EXPECT_EQ(check(R"({"maximum":9223372036854775806})", "9223372036854775807"),
              "value: above the maximum of 9223372036854775806");
    EXPECT_EQ(check(R"({"const":18446744073709551615})", "18446744073709551614"),
              "value: not an allowed value");
    EXPECT_EQ(check(R"({"multipleOf":2})", "-9223372036854775808"), "");
    EXPECT_EQ(check(R"({"type":"integer","multipleOf":0.0001})", "1e3"), "");
    EXPECT_EQ(check(R"({"const":1.0})", "1"), "");
    EXPECT_EQ(check(R"({"const":1e300})", "1e300"), "");
}

TEST(JsonSchema, HostileSchemasAndValuesEndSoon) {
    // Applies itself to the same value for ever.
    EXPECT_EQ(check(R"({"anyOf":[{"$ref":"#"}]})", "1"),
              "the schema applies itself without end to one value");
    EXPECT_EQ(check(R"({"not":{"$ref":"#"}})", "1"), "the schema applies itself without end to one value");
    // A long chain, followed for what has been evaluated.
    std::string links = R"({"unevaluatedProperties":false,"$ref":"#/$defs/a0","$defs":{)";
    for (int i = 0; i < 3'000; ++i)
        links += "\"a" + std::to_string(i) + R"(":{"$ref":"#/$defs/a)" + std::to_string(i + 1) + "\"},";
    EXPECT_EQ(check(links + R"("a3000":{}}})", R"({"b":1})"),
              "the schema applies itself without end to one value");

    // Twice as much work per definition.
    std::string doubling = R"({"$ref":"#/definitions/d0","definitions":{)";
    for (int i = 0; i < 40; ++i) {
        const std::string next = R"({"$ref":"#/definitions/d)" + std::to_string(i + 1) + R"("})";
        doubling += R"("d)" + std::to_string(i) + R"(":{"allOf":[)" + next + "," + next + "]},";
    }
    doubling += R"("d40":{"type":"integer"}}})";
    EXPECT_EQ(check(doubling, "1"), "checking the value against its schema takes too long");

    const std::string text = "\"" + std::string(50'000, 'a') + "!\"";
    EXPECT_THAT(check(R"s({"pattern":"(a+)+$"})s", text), HasSubstr("does not match the pattern"));
    EXPECT_THAT(check(R"s({"pattern":"(a?){900}(a?){900}!!$"})s", text), HasSubstr("takes too long"));

    // 60 000 items, pairwise different: no comparison of all pairs.
    std::string numbers = "[0";
    for (int i = 1; i < 60'000; ++i) numbers += "," + std::to_string(i);
    EXPECT_EQ(check(R"({"uniqueItems":true})", numbers + "]"), "");

    std::string chain = R"({"$ref":"#/d/0","d":[)";
    for (int i = 1; i < 4000; ++i) chain += R"({"$ref":"#/d/)" + std::to_string(i) + R"("},)";
    EXPECT_EQ(check(chain + R"({"type":"string"}]})", "1"), "value: not of type string");
}

TEST(JsonSchema, SizeAndDepthAreBounded) {
    std::string wide = R"({"enum":[0)";
    for (int i = 1; i < 20'000; ++i) wide += "," + std::to_string(i);
    EXPECT_THAT(refusal(wide + "]}"), HasSubstr("too many values"));

    std::string patterns = R"({"anyOf":[{})";
    for (int i = 0; i < 100; ++i) patterns += R"(,{"pattern":"a{1000}"})";
    const auto many = compiled(patterns + "]}");
    EXPECT_EQ(many.warnings().size(), 10u);
    EXPECT_THAT(many.warnings()[0], HasSubstr("the patterns of this schema are too large"));

    json::Document deep;
    deep.SetObject();
    for (int i = 0; i < 100; ++i) {
        json::Value outer(rapidjson::kObjectType);
        json::Value inner;
        inner.Swap(deep);
        json::set(outer, "not", std::move(inner), deep.GetAllocator());
        outer.Swap(deep);
    }
    const auto outcome = JsonSchema::compile(deep);
    ASSERT_FALSE(outcome.ok());
    EXPECT_THAT(outcome.error().message, HasSubstr("nested deeper"));
    EXPECT_FALSE(compiled("true").validate(deep).ok());
}

TEST(JsonSchema, LivesLongerThanItsSource) {
    std::optional<JsonSchema> schema;
    {
        std::string name = "a name that is not kept in place by the short-string form";
        json::Document source(rapidjson::kObjectType);
        json::Value constant(rapidjson::StringRef(name.data(), name.size()));
        source.AddMember("const", constant, source.GetAllocator());
        schema = JsonSchema::compile(source).value();
        name.assign(name.size(), 'x');
    }
    EXPECT_TRUE(
        schema->validate(parsed(R"("a name that is not kept in place by the short-string form")")).ok());
}

TEST(JsonSchema, ThreadsShareOneSchema) {
    const JsonSchema schema = compiled(R"s({"items":{"pattern":"^(a|b)+$","enum":["ab","ba"]}})s");
    const auto work = [&schema] {
        for (int i = 0; i < 200; ++i) {
            EXPECT_TRUE(schema.validate(parsed(R"(["ab","ba"])")).ok());
            EXPECT_FALSE(schema.validate(parsed(R"(["ab","aa"])")).ok());
        }
    };
    std::thread other(work);
    work();
    other.join();
}

}  // namespace
}  // namespace stepper
