// Schemas that clients send, and answers held against them.
#include "core/output/schema.h"
#include "core/schema/json_schema.h"
#include "tests/unit/growth/growth.h"

namespace stepper::growth {
namespace {

std::shared_ptr<const json::Document> parsed(const std::string& text) {
    auto out = json::parse(text, {.max_nodes = 1'000'000});
    EXPECT_TRUE(out) << out.error().message;
    return std::make_shared<const json::Document>(std::move(out).value());
}

Work compiling(const std::string& schema) {
    return [v = parsed(schema)] { EXPECT_TRUE(JsonSchema::compile(*v)); };
}
// Whatever comes of it: some of these take more steps than are granted.
Work validating(const std::string& schema, const std::string& value) {
    auto compiled = JsonSchema::compile(*parsed(schema));
    EXPECT_TRUE(compiled) << compiled.error().message;
    return [s = std::move(compiled).value(), v = parsed(value)] { static_cast<void>(s.validate(*v)); };
}
Work translating(const std::string& schema) {
    return [v = parsed(schema)] { EXPECT_TRUE(output::OutputSchema::parse(*v)); };
}

std::string number(size_t i) { return std::to_string(i); }
// {"k0":V,"k1":V,...}
std::string members(size_t count, const std::string& value) {
    return "{" + joined(count, [&](size_t i) { return "\"k" + number(i) + "\":" + value; }) + "}";
}
std::string strings(const std::vector<std::string>& texts) {
    return "[" + joined(texts.size(), [&](size_t i) { return asJson(texts[i]); }) + "]";
}
std::string items(size_t count, const std::string& value) {
    return "[" + joined(count, [&](size_t) { return value; }) + "]";
}
std::string longName(size_t n) { return std::string(n, 'A'); }

const Rows kCompiling = {
    {"Properties", 8'000, [](size_t n) { return compiling(R"({"properties":)" + members(n, "true") + "}"); }},
    {"LongNamesAndChildren", 2'000,
     [](size_t n) {
         return compiling(R"({"properties":{")" + longName(400 * n) + R"(":{"properties":)" +
                          members(n, "{}") + "}}}");
     }},
    {"LongNamesAndTranslatedChildren", 2'000,
     [](size_t n) {
         return translating(R"({"kind":"http-json","properties":{")" + longName(400 * n) +
                            R"(":{"type":"object","properties":)" + members(n, R"({"type":"string"})") +
                            "}}}");
     }},
    {"References", 1'000,
     [](size_t n) {
         const std::string name = longName(2'000);
         const auto named = [&](size_t i) { return name + number(10'000 + i); };
         return compiling(R"({"$defs":{)" + joined(n, [&](size_t i) { return asJson(named(i)) + ":true"; }) +
                          R"(},"allOf":[)" +
                          joined(n, [&](size_t i) { return R"({"$ref":"#/$defs/)" + named(i) + R"("})"; }) +
                          "]}");
     }},
    {"ReferencesInARow", 4'000,
     [](size_t n) {
         return compiling(R"({"$defs":{)" +
                          joined(n,
                                 [&](size_t i) {
                                     return "\"k" + number(i) + R"(":{"$ref":"#/$defs/k)" + number(i + 1) +
                                            "\"}";
                                 }) +
                          ",\"k" + number(n) + "\":{}},\"$ref\":\"#/$defs/k0\"}");
     }},
    {"LongNamesAndReferences", 2'000,
     [](size_t n) {
         return compiling(R"({"properties":{")" + longName(400 * n) + R"(":{"properties":)" +
                          members(n, R"({"$ref":"#"})") + "}}}");
     }},
    {"CollidingAnchors", 4'000,
     [](size_t n) {
         const auto keys = collidingKeys(n);
         const auto schema = [&](size_t i) { return "{\"$anchor\":" + asJson(keys[i]) + "}"; };
         return compiling(R"({"allOf":[)" + joined(n, schema) + "]}");
     }},
    {"CollidingChoices", 4'000,
     [](size_t n) { return compiling(R"({"enum":)" + strings(collidingStrings(n)) + "}"); }},
    {"PatternsTooLargeTogether", 4'000,
     [](size_t n) {
         return compiling(R"({"properties":)" + members(n, R"({"pattern":"(a{50}b){20}"})") + "}");
     }},
    {"PatternsTooLargeEach", 400,
     [](size_t n) {
         return compiling(R"({"properties":)" + members(n, R"({"pattern":"(\\p{L}{3}){300}"})") + "}");
     }},
};
STEPPER_GROWTH_ROWS(SchemaCompiled, kCompiling);

// Where a schema asks for the product of its size and the value's, the steps that are granted end the growth:
// such rows begin near to that.
const Rows kValidating = {
    {"MembersByProperties", 6'000,
     [](size_t n) {
         return validating(R"({"properties":)" + members(n, "true") + R"(,"additionalProperties":false})",
                           members(n, "0"));
     }},
    {"MembersByRequired", 8'000,
     [](size_t n) {
         return validating(
             R"({"required":[)" + joined(n, [](size_t i) { return "\"k" + number(i) + "\""; }) + "]}",
             members(n, "0"));
     }},
    {"MembersByDependencies", 4'000,
     [](size_t n) {
         return validating(R"({"dependentRequired":)" + members(n, R"(["k0"])") + "}", members(n, "0"));
     }},
    {"MembersByUnevaluated", 1'600,
     [](size_t n) {
         return validating(
             R"({"allOf":[{"properties":)" + members(n, "true") + R"(}],"unevaluatedProperties":false})",
             members(n, "0"));
     }},
    {"ItemsByUnevaluated", 1'600,
     [](size_t n) {
         return validating(
             R"({"allOf":[{"prefixItems":)" + items(n, "true") + R"(}],"unevaluatedItems":false})",
             items(n, "0"));
     }},
    {"CollidingItemsThatAreUnique", 4'000,
     [](size_t n) { return validating(R"({"uniqueItems":true})", strings(collidingStrings(n))); }},
    {"LongUnknownKeywordsAndItems", 20'000,
     [](size_t n) {
         return validating(R"({"items":{")" + longName(20 * n) + R"(":0,"type":"number"}})", items(n, "0"));
     }},
    {"UnknownKeywordsAndItems", 8'000,
     [](size_t n) {
         return validating(R"({"items":{"type":"string","minimum":1,)" + members(n, "0").substr(1) + "}",
                           items(n, "0"));
     }},
    {"LongRequiredNamesAndItems", 8'000,
     [](size_t n) {
         return validating(R"({"items":{"anyOf":[{"required":[")" + longName(40 * n) + R"("]},true]}})",
                           items(n, "{}"));
     }},
    {"TypesThatFailAndItems", 8'000,
     [](size_t n) {
         return validating(R"({"items":{"anyOf":[{"type":)" + items(n, R"("null")") + "},true]}}",
                           items(n, "0"));
     }},
    {"SchemasThatAllowAndItems", 8'000,
     [](size_t n) { return validating(R"({"items":{"allOf":)" + items(n, "true") + "}}", items(n, "0")); }},
    {"EmptySchemasAndItems", 8'000,
     [](size_t n) { return validating(R"({"items":{"allOf":)" + items(n, "{}") + "}}", items(n, "0")); }},
    {"PatternsThatAreNoneAndMembers", 9'000,
     [](size_t n) {
         return validating(R"({"patternProperties":{)" +
                               joined(n, [](size_t i) { return "\"(?=" + number(i) + ")\":true"; }) + "}}",
                           members(n, "0"));
     }},
    {"ChoicesOfALongText", 3'000,
     [](size_t n) {
         return validating(R"({"anyOf":)" + items(n, R"({"enum":["a"]})") + "}", asJson(longName(100 * n)));
     }},
    {"NullableAfterAllElse", 8'000,
     [](size_t n) {
         return validating(
             R"({"items":)" + members(n, "0").substr(0, members(n, "0").size() - 1) + R"(,"nullable":true}})",
             items(n, "null"));
     }},
};
STEPPER_GROWTH_ROWS(SchemaHeldAgainstAnAnswer, kValidating);

}  // namespace
}  // namespace stepper::growth
