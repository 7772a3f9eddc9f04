// What models write instead of JSON, most of it reported to libraries that repair it.
#include "core/output/lenient.h"

#include <gtest/gtest.h>

namespace stepper::output {
namespace {

std::string read(std::string_view text, bool finished = true) {
    Effort effort(Effort::kUnbounded);
    const Reading r = readLeniently(text, 0, finished, effort);
    if (r.state == Reading::State::Broken) return "broken";
    return (r.state == Reading::State::Cut ? "cut " : r.repaired ? "repaired " : "") + r.json;
}

struct Case {
    const char* text;
    const char* value;
};

TEST(Lenient, JsonStaysAsItIs) {
    for (const char* text : {
             R"({"a":1,"b":[true,false,null,-0,0.10,1E400,1e-7,123456789012345678901234567890]})",
             R"(["\u00e9\ud83d\ude00\/\"\\\b\f\n\r\t","é",""])",
             R"({"a":{"b":[[],{}]},"a":2})",
             R"({"it's":"// no # comment /* here */, 'really'"})",
         })
        EXPECT_EQ(read(text), text);
    EXPECT_EQ(read("{ \"a\" :\r\n\t[ 1.0 , 2 ] }"), R"({"a":[1.0,2]})");
}

TEST(Lenient, RepairsWhatMeansOneThing) {
    const Case cases[] = {
        // raw control characters: langchain-ai/langchainjs#5160, mem0ai/mem0#4420
        {"{\"a\":\"x\ny\tz\r\"}", R"(repaired {"a":"x\ny\tz\r"})"},
        {"[\"\x01\x1f\"]", R"(repaired ["\u0001\u001f"])"},
        {"{\"a\nb\":1}", R"(repaired {"a\nb":1})"},
        // trailing commas
        {R"({"a":1,})", R"(repaired {"a":1})"},
        {"[1,2 , ]", "repaired [1,2]"},
        {R"({"a":[{"b":1,},],})", R"(repaired {"a":[{"b":1}]})"},
        // comments: google/langextract#116
        {"{\"a\":1, // note, \"b\":2\n\"c\":3}", R"(repaired {"a":1,"c":3})"},
        {"{/* it's */\"a\":/**/1}", R"(repaired {"a":1})"},
        {"[1, # one\n2]", "repaired [1,2]"},
        // single quotes, and Python's words
        {"{'a':'b'}", R"(repaired {"a":"b"})"},
        {R"({'a':'say "hi"','b':'it\'s'})", R"(repaired {"a":"say \"hi\"","b":"it's"})"},
        {"{'a': True, 'b': [False, None]}", R"(repaired {"a":true,"b":[false,null]})"},
        // backslashes that escape nothing
        {R"({"re":"^\d+\.\w$"})", R"(repaired {"re":"^\\d+\\.\\w$"})"},
        {R"({"path":"C:\Users\me"})", R"(repaired {"path":"C:\\Users\\me"})"},
        {R"({"path":"D:\users"})", R"(repaired {"path":"D:\\users"})"},
        {R"({"a":"it\'s"})", R"(repaired {"a":"it's"})"},
        {R"({"t":"$$\mathrm{F}_1$$"})",
         R"(repaired {"t":"$$\\mathrm{F}_1$$"})"},  // mangiucugna/json_repair#74
        {R"({"t":"a\\\\b\sum \n\u00e9"})", R"(repaired {"t":"a\\\\b\\sum \n\u00e9"})"},  // #195, #207 there
        {"{\xC2\xA0\"a\":\xE3\x80\x80\x31}", R"(repaired {"a":1})"},
    };
    for (const Case& c : cases) EXPECT_EQ(read(c.text), c.value) << c.text;
}

// jsonrepair and json_repair answer most of these with something the model did not say.
TEST(Lenient, GuessesNothing) {
    for (const char* text : {
             R"({"a":1 "b":2})",
             "[1 2]",
             R"({"a":})",
             R"({"a"})",
             R"({:1})",
             "[,]",
             "{,}",
             "[1,,2]",
             R"({"a":1,,"b":2})",
             R"({a:1})",
             R"({"a":b})",
             R"({"a":undefined})",
             R"({"a":NaN})",
             R"({"a":-Infinity})",
             R"({"a":01})",
             R"({"a":1,000})",
             R"({"a":+1})",
             R"({"a":.5})",
             R"({"a":5.})",
             R"({"a":0x1F})",
             R"({"a":$18})",
             R"({"a":18 EUR})",
             R"({"a":truely})",
             R"({"a":[1,2})",
             R"({"a":1])",
             R"([1, 2, ...])",
             R"({"a":"x" + "y"})",
             R"({"text":"I want a 65" television"})",                  // josdejong/jsonrepair#114
             R"({"lorem":"Lorem "ipsum" sit, amet"})",                 // mangiucugna/json_repair#46
             R"({'name':'Jack O'Sullivan','id':'5'})",                 // mangiucugna/json_repair#56
             R"({'pay':'13'08.45','date':'14.05.2025'})",              // mangiucugna/json_repair#138
             R"([{'id':None,'name':'12"34"'}, x])",                    // mangiucugna/json_repair#128
             R"({"thoughts":["hi","no task","headline":"Greeting"})",  // mangiucugna/json_repair#212
             R"({"title "'K' a Judicial Officer","c":["2001"]})",      // josdejong/jsonrepair#197
             "{\"subject\":\"x\",\"text\":\"no closing quote,\n\"more\":\"text\"}",
         })
        EXPECT_EQ(read(text), "broken") << text;
}

TEST(Lenient, KeepsOfACutValueWhatWasComplete) {
    const Case cases[] = {
        {R"({"a":1,"b":2)", R"(cut {"a":1,"b":2})"},
        {R"({"items":[{"a":1},{"a":2}])", R"(cut {"items":[{"a":1},{"a":2}]})"},
        {R"({"note":"a}b")", R"(cut {"note":"a}b"})"},                     // theopenco/llmgateway#3253
        {"{\"a\":\n{\"b\":1,\n\"c\":1}\n", R"(cut {"a":{"b":1,"c":1}})"},  // guardrails-ai/guardrails#548
        {R"({"a":true)", R"(cut {"a":true})"},
        {R"({"a":[1,2],)", R"(cut {"a":[1,2]})"},
        // what the end may have shortened is left out
        {R"({"subject":"Take-Home","text":"Hello Sergey,I hop)",
         R"(cut {"subject":"Take-Home"})"},                        // jsonrepair#117
        {R"({"a":1,"text":"Here is a poem :)", R"(cut {"a":1})"},  // jsonrepair#130
        {R"({"a":1,"b")", R"(cut {"a":1})"},
        {R"({"a":1,"b":)", R"(cut {"a":1})"},
        {R"({"a":1,"b":tru)", R"(cut {"a":1})"},
        {R"({"a":1,"b":-)", R"(cut {"a":1})"},
        {R"({"a":1,"b":1.)", R"(cut {"a":1})"},
        {R"({"a":1,"b":"\)", R"(cut {"a":1})"},
        {R"({"a":1,"b":"\u12)", R"(cut {"a":1})"},
        // and what is left empty by that: the model did not say that there are none
        {R"({"a":1,"list":[)", R"(cut {"a":1})"},
        {R"({"a":1,"deep":{"x":[{"y":"z)", R"(cut {"a":1})"},
        {R"({"meta":{"na)", "cut "},  // jsonrepair#78
        {"[", "cut "},
        {"{\"a\":[{\"b\":1}\n```\n", R"(cut {"a":[{"b":1}]})"},
    };
    for (const Case& c : cases) EXPECT_EQ(read(c.text), c.value) << c.text;
    // Only who ended by itself has said the whole number.
    EXPECT_EQ(read("[1,13", true), "cut [1,13]");
    EXPECT_EQ(read("[1,13", false), "cut [1]");
    EXPECT_EQ(read("[1,13 ", false), "cut [1,13]");
}

}  // namespace
}  // namespace stepper::output
