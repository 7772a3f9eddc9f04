#include "core/output/extract.h"

#include <ctime>
#include <string>

#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/output/validate.h"

namespace stepper::output {
namespace {

constexpr auto kNone = "none";

// What a client without a schema gets, or the reason.
std::string answer(std::string_view text, std::string_view finish = "stop") {
    const auto processed = process(text, Mode::Json, nullptr, finish);
    if (processed) {
        EXPECT_TRUE(json::parse(processed->value, {.any_magnitude = true}).ok()) << processed->value;
        return processed->value;
    }
    EXPECT_EQ(processed.error().error_class, ErrorClass::BadResponse);
    return processed.error().message.find("does not appear to be valid JSON") != std::string::npos
               ? kNone
               : processed.error().message;
}

struct Case {
    const char* text;
    const char* value;
};

TEST(Extract, TakesTheWholeText) {
    const Case cases[] = {
        {R"({"a":1})", R"({"a":1})"},
        {" \r\n\t{\"a\" : 1}\n ", R"({"a":1})"},
        {"\xEF\xBB\xBF{\"a\":1}", R"({"a":1})"},
        {"\n\xEF\xBB\xBF {\"a\":1}", R"({"a":1})"},
        {"[1,2,3]", "[1,2,3]"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"7", "7"},
        {"\"text\"", "\"text\""},
        {"null", "null"},
        {"true", "true"},
        {R"({"code":"```json\n{}\n```"})", R"({"code":"```json\n{}\n```"})"},
        {R"({"code":"use `print` here"})", R"({"code":"use `print` here"})"},  // langgenius/dify#41958
    };
    for (const Case& c : cases) EXPECT_EQ(answer(c.text), c.value) << c.text;
}

TEST(Extract, TakesWhatAFenceHolds) {
    const Case cases[] = {
        {"```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"```\n[1]\n```", "[1]"},
        {"```JSON\n{\"a\":1}```", R"({"a":1})"},
        {"```json\n7\n```", "7"},
        {"```true```", "true"},
        {"```json\n[]\n```", "[]"},
        {"None found:\n```json\n[]\n```\n", "[]"},
        {"```json5\n{\"a\":1}\n```\nas asked", R"({"a":1})"},
        {"Here you are:\n```json\n{\"a\":1}\n```\nDone.", R"({"a":1})"},
        {"~~~json\n{\"a\":1}\n~~~\nDone.", R"({"a":1})"},
        {"Set {x} first.\n```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"Old: {\"b\":0}\n```json\n{\"a\":\"```\"}\n```", R"({"a":"```"})"},
        {"```python\nprint({})\n```\n```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"```json\n{\"a\":1}\n```\n```python\nx = {\"b\": 2}\n```", R"({"a":1})"},
        {"Input:\n{\"q\":1}\nOutput:\n```js\n{\"a\":1}\n```", R"({"a":1})"},
        {"```python\n{'a': True}\n```", R"({"a":true})"},
        {"```json\nbroken\n```\n```json\n{\"a\":1}\n```", R"({"a":1})"},
        {"```json\n{\"a\":1}\n", R"({"a":1})"},
        // vectorize-io/hindsight#2672, guardrails-ai/guardrails#1549
        {"It is:\n```json\n{\"code\":\"```x```\"}\n```", R"({"code":"```x```"})"},
        {"````json\n{\"a\":\"Use ``` for fences\"}\n````", R"({"a":"Use ``` for fences"})"},
    };
    for (const Case& c : cases) EXPECT_EQ(answer(c.text), c.value) << c.text;
}

TEST(Extract, PrefersTheLastThatStandsApart) {
    const Case cases[] = {
        {"```json\n{\"a\":1}\n```\n```json\n{\"b\":2}\n```", R"({"b":2})"},
        {"Draft:\n```json\n{\"a\":1}\n```\nBetter:\n{\"a\":2}", R"({"a":2})"},
        {"Maybe {\"p\":\"Tea\"}? No.\n\n{\"p\":\"Coffee\"}", R"({"p":"Coffee"})"},
        {"Input: {\"q\":1}\nOutput: {\"r\":2}", R"({"r":2})"},
        {"**Answer:** {\"a\":1}\nIt differs from {\"b\":2} a lot.", R"({"a":1})"},
        {"<answer>{\"a\":1}</answer> where {\"b\":2} was tried", R"({"a":1})"},
        {"答案\xEF\xBC\x9A{\"a\":1}\xE3\x80\x82\n而 {\"b\":2} 不对", R"({"a":1})"},
        {"{\"a\":1}\n{\"a\":2}", R"({"a":2})"},
        {"First {\"a\":1}, then {\"b\":2}.", R"({"b":2})"},
        {"Sure! {\"a\":1} Anything else?", R"({"a":1})"},
        {"The set {x, y} is [see {\"a\":[{\"b\":\"}]\"}]}]", R"({"a":[{"b":"}]"}]})"},
        {"He said \"hi\" {\"q\":\"\\\"}\"} ok", R"({"q":"\"}"})"},
        {"It's {\"a\":1}", R"({"a":1})"},
        {"Closes [#12].\n{\"a\": 1}", R"({"a":1})"},
        {"[//]: # (x)\n{\"a\": 1}\n", R"({"a":1})"},
        {"{\"a\":1}}", R"({"a":1})"},
        // 567-labs/instructor#1836, X-PLUG/MobileAgent#147, lingodotdev/lingo.dev#1886,
        // mangiucugna/json_repair#209
        {"Outer\n```\nInner\n```json\n{\"a\":1}\n```\nends\n```\nOuter ends", R"({"a":1})"},
        {"### Action ```json {  \"a\": 1 } ``` ###", R"({"a":1})"},
        {"OK{\"a\":1}", R"({"a":1})"},
        {"The options are [\"a\", \"b\"].\n\n{\"a\":1}", R"({"a":1})"},
        {"{<prose>\n\n{\"a\":1}", R"({"a":1})"},
        {"Use {title}. {\"a\":1} The {pattern} matched",
         R"({"a":1})"},  // remyxai/outrider#111, getsentry/warden#103
    };
    for (const Case& c : cases) EXPECT_EQ(answer(c.text), c.value) << c.text;
}

TEST(Extract, BracketsInProseAreNoAnswer) {
    const Case cases[] = {
        // kubestellar/console#7189, run-llama/llama_index#22132, langgenius/dify#42451, mem0ai/mem0#5998
        {"According to [1], it is: {\"a\":1}", R"({"a":1})"},
        {"See [1] for details: {\"answer\": 42}", R"({"answer":42})"},
        {"Sure! [thinking] Here: {\"a\": [1, 2], \"b\": 3}", R"({"a":[1,2],"b":3})"},
        {"Result: {\"a\": 1}. Note [1].", R"({"a":1})"},
        {"{\"a\":\"done\"}\n\nReferences: [1]", R"({"a":"done"})"},
        {"{\"a\":1}\n\n[1] A source.\n[2] Another.", R"({"a":1})"},
        {"```json\n{\"a\":1}\n```\nSee [docs] and [2, 3].", R"({"a":1})"},
        {"- [ ] check\n- [x] extract\n\n{\"a\":1}", R"({"a":1})"},
        {"The body of main() {} is empty. Result: {\"a\":1}", R"({"a":1})"},
        {"Errors: []. Result: {\"a\":1}", R"({"a":1})"},
        {"Result: {\"a\":1}\nErrors: []", R"({"a":1})"},
        {"{} {\"a\":1}", R"({"a":1})"},
        {"Read row[\"id\"] of it: {\"a\":1}", R"({"a":1})"},
        {"{\"a\":1} is in row[\"id\"]", R"({"a":1})"},
        {"[\"Title\"](http://x) {\"a\":1}", R"({"a":1})"},
        {"[[wiki]] {\"a\":1}", R"({"a":1})"},
        {"A list [\"x\" or \"y\"] gives {\"a\":1}", R"({"a":1})"},
        {"{\"a\":1} and {braces} after, } even ] these", R"({"a":1})"},
        {"Result: [1, 2, 3]", "[1,2,3]"},
        {"The ids are [\"a\", \"b\"] here", R"(["a","b"])"},
        // and nothing else is there
        {"According to [1], the sky is blue.", kNone},
        {"Known since [2, 3].", kNone},
        {"- [ ] one\n- [ ] two", kNone},
        {"int main() {}", kNone},
        {"Nothing: []", kNone},
        {"Look at row[\"id\"] first.", kNone},
        {"", kNone},
        {"   ", kNone},
        {"I am not JSON", kNone},
        {"The answer is 7", kNone},
        {"The answer is \"x\"", kNone},
        {"Result:\n```json\n7\n```", kNone},
        {"{", kNone},
        {"}", kNone},
        {"```", kNone},
        {"``````", kNone},
    };
    for (const Case& c : cases) EXPECT_EQ(answer(c.text), c.value) << c.text;
}

TEST(Extract, NothingIsTakenOutOfABrokenValue) {
    for (const char* text : {
             "{\"items\":[{\"a\":1},{\"a\":2})",
             R"({"a": {"x":1}, b: {"y":2}})",
             R"({"a": {"x":1}, "b": })",
             R"({"a": {"x":1}, "b": {"y":1} "c": 2})",
             R"(Sure: {"items":[{"a":1} {"a":2}]})",
             R"({ product: {"name":"x"}, price: 18 })",
             R"({Analysis: {"actual":true})",  // Q00/ouroboros#1734
             // BoundaryML/baml#844
             R"({"title":"qui cher"rating":4,"url":["https://x.test"],"more":{"a":1}})",
         })
        EXPECT_EQ(answer(std::string(text) + " "), kNone) << text;
}

// The answer was being given when the text ended; what came before was something else.
TEST(Extract, AnEndInsideAValueHasNoOtherCandidate) {
    EXPECT_EQ(answer("For example {\"p\":\"x\",\"n\":0}.\n\n{\"p\":\"Coffee\",\"n\":", "length"),
              R"({"p":"Coffee"})");
    EXPECT_EQ(answer("For example {\"p\":\"x\",\"n\":0}.\n\n{\"p\":\"Cof", "length"),
              "Validation failed: The response ends inside its JSON value.");
    EXPECT_EQ(answer("```json\n{\"a\":1}\n```\nThat is all [", "length"), R"({"a":1})");
    EXPECT_EQ(answer("```json\n{\"a\":1}\n```\nas in {\"b\":2, \"c\"", "length"), R"({"a":1})");
}

TEST(Extract, DepthAndSizeAreThoseOfTheParser) {
    EXPECT_NE(answer(std::string(64, '[') + std::string(64, ']')), kNone);
    EXPECT_EQ(answer(std::string(65, '[') + std::string(65, ']')), kNone);
    std::string many = "[0";
    for (int i = 0; i < 100'000; ++i) many += ",0";
    EXPECT_NE(answer(many + "]").find("too many values"), std::string::npos);
}

// Quadratic work on a megabyte would take hours; the bound leaves room for sanitizers and busy machines.
TEST(Extract, HostileTextsTakeLinearTime) {
    // Of the processor, which others use, too.
    const std::clock_t began = std::clock();
    for (const std::string unit : {"[",
                                   "{",
                                   "\"",
                                   "{\"",
                                   "[\"",
                                   "['",
                                   "{'a':",
                                   "{\"a\":",
                                   "[1,",
                                   "[]",
                                   "[[],",
                                   "```",
                                   "```[",
                                   "[//",
                                   "[/*",
                                   "[#\n",
                                   "[\\'",
                                   "```json{\"a\":",
                                   "{\"a\" ",
                                   "\\",
                                   "[\"```[\",",
                                   "{\"a\":1]",
                                   "[}",
                                   "```[1,\"",
                                   "[1 ",
                                   "{\"a\":1}",
                                   "*",
                                   "[\"a\"]*",
                                   "``` {\"a\":1}",
                                   "~~~\n",
                                   "[1]`",
                                   "\xC2\xA0",
                                   "[tru"}) {
        std::string text;
        while (text.size() < 1'000'000) text += unit;
        Effort effort(Effort::kUnbounded);
        (void)candidates(text, false, effort);
        (void)candidates("x" + text + "\"}]", true, effort);
    }
    EXPECT_LT((std::clock() - began) / CLOCKS_PER_SEC, 60);
}

}  // namespace
}  // namespace stepper::output
