#include "core/output/extract.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace stepper::output {
namespace {

constexpr auto kRefusal =
    "Response does not appear to be valid JSON format. Provider may have returned an error message.";

// The value as compact JSON, or the error.
std::string extracted(std::string_view text) {
    const auto value = extract(text);
    if (value) return json::dump(*value);
    EXPECT_EQ(value.error().error_class, ErrorClass::BadResponse);
    return value.error().message;
}

TEST(Extract, FindsTheValue) {
    struct Case {
        const char* text;
        const char* value;
    };
    const Case cases[] = {
        // the whole text
        {R"({"a":1})", R"({"a":1})"},
        {" \r\n\t{\"a\":1}\n ", R"({"a":1})"},
        {"\xEF\xBB\xBF{\"a\":1}", R"({"a":1})"},
        {"\n\xEF\xBB\xBF {\"a\":1}", R"({"a":1})"},
        {"[1,2,3]", "[1,2,3]"},
        {"7", "7"},
        {"\"text\"", "\"text\""},
        {"null", "null"},
        {"true", "true"},
        {R"({"code":"```json\n{}\n```"})", R"({"code":"```json\n{}\n```"})"},
        // all of it in a fence
        {"```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"```\n[1]\n```", "[1]"},
        {"```JSON\n{\"a\":1}```", R"({"a":1})"},
        {"```json\n7\n```", "7"},
        {"```true```", "true"},
        {"```json\n{\"code\":\"```x```\"}\n```", R"({"code":"```x```"})"},
        // a fence in prose
        {"Here you are:\n```json\n{\"a\":1}\n```\nDone.", R"({"a":1})"},
        {"Set {x} first.\n```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"Old: {\"b\":0}\n```json\n{\"a\":\"```\"}\n```", R"({"a":"```"})"},
        {"```python\nprint({})\n```\n```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"```json\nbroken\n```\n```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"```json\n{\"a\":1}\n", R"({"a":1})"},
        {"```json\n{\"a\":1}\n```\n```json\n{\"b\":2}\n```", R"({"a":1})"},
        // prose
        {"Sure! {\"a\":1} Anything else?", R"({"a":1})"},
        {"First {\"a\":1}, then {\"b\":2}.", R"({"a":1})"},
        {"{\"a\":1} and {braces} after, } even ] these", R"({"a":1})"},
        {"The set {x, y} is [see {\"a\":[{\"b\":\"}]\"}]}]", R"({"a":[{"b":"}]"}]})"},
        {"He said \"hi\" {\"q\":\"\\\"}\"} ok", R"({"q":"\"}"})"},
        {"A list [\"x\" or \"y\"] gives {\"a\":1}", R"({"a":1})"},
        {"It's {\"a\":1}", R"({"a":1})"},
        {"[[wiki]] {\"a\":1}", R"({"a":1})"},
        {"{} {\"a\":1}", "{}"},
    };
    for (const Case& c : cases) EXPECT_EQ(extracted(c.text), c.value) << c.text;
}

TEST(Extract, RefusesWhatIsNoValue) {
    for (const char* text : {
             "",
             "   ",
             "I am not JSON",
             "The answer is 7",
             "The answer is \"x\"",
             "Result:\n```json\n7\n```",
             R"({"a":1)",
             R"({"items":[{"a":1},{"a":2})",
             "Sure: {\"items\":[{\"a\":1},{\"a\":2}",
             "```json\n{\"items\":[{\"a\":1},{\"a\":2\n",
             R"({"a": {"x":1}, b: {"y":2}})",
             R"({"a": {"x":1}, "b": })",
             "{'a':1}",
             R"({"a":1,})",
             "[1 2]",
             "{",
             "}",
             "```",
             "``````",
         })
        EXPECT_EQ(extracted(text), kRefusal) << text;
}

TEST(Extract, DepthAndSizeAreThoseOfTheParser) {
    EXPECT_NE(extracted(std::string(64, '[') + std::string(64, ']')), kRefusal);
    EXPECT_EQ(extracted(std::string(65, '[') + std::string(65, ']')), kRefusal);
    std::string many = "[0";
    for (int i = 0; i < 100'000; ++i) many += ",0";
    EXPECT_EQ(extracted(many + "]"), kRefusal);
}

// Quadratic work on a megabyte would take hours; the bound leaves room for sanitizers and busy machines.
TEST(Extract, HostileTextsTakeLinearTime) {
    const auto began = std::chrono::steady_clock::now();
    for (const std::string unit :
         {"[", "{", "\"", "{\"", "[\"", "{\"a\":", "[1,", "[]", "[[],", "```", "```[",
          "```json{\"a\":", "{\"a\" ", "\\", "[\"```[\",", "{\"a\":1]", "[}", "```[1,\"", "[1 "}) {
        std::string text;
        while (text.size() < 1'000'000) text += unit;
        (void)extract(text);
        (void)extract("x" + text + "\"}]");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

}  // namespace
}  // namespace stepper::output
