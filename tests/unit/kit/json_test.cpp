#include "stepper/kit/json.hpp"

#include <gtest/gtest.h>

namespace stepper::kit {
namespace {

TEST(Parse, ToleratesWhatProvidersSend) {
    EXPECT_EQ(dump(parse("\xEF\xBB\xBF\n\n  {\"a\":1}\r\n\n")), R"({"a":1})");
    EXPECT_EQ(string(parse("{\"a\":\"x\xFFy\"}"), "a"), "x\xEF\xBF\xBDy");
    EXPECT_EQ(string(parse(R"({"a":"x\ud83dy"})"), "a"), "x\xEF\xBF\xBDy");
    EXPECT_EQ(string(parse(R"({"a":"\ude00"})"), "a"), "\xEF\xBF\xBD");
    EXPECT_EQ(string(parse(R"({"a":"\ud83d\ude00 \ud83d"})"), "a"), "\xF0\x9F\x98\x80 \xEF\xBF\xBD");
    EXPECT_EQ(string(parse(R"({"a":"\\ud83d \ud83d"})"), "a"), "\\ud83d \xEF\xBF\xBD");
    EXPECT_EQ(string(parse(R"({"a":"b\u0000c"})"), "a"), std::string_view("b\0c", 3));
}

TEST(Parse, RefusesTheRest) {
    for (const char* text : {"", " ", "{", "{} x", "<html>", "nul", "\xEF\xBB\xBF", "{\"a\":\"\\u12\"}"})
        EXPECT_TRUE(parse(text).HasParseError()) << text;
    EXPECT_FALSE(parse(std::string(128, '[') + std::string(128, ']')).HasParseError());
    EXPECT_TRUE(parse(std::string(129, '[') + std::string(129, ']')).HasParseError());
    EXPECT_TRUE(parse(std::string(1'000'000, '[')).HasParseError());
    EXPECT_FALSE(parse("\"" + std::string(500, '[') + "\\\"\"").HasParseError());
}

TEST(Find, TreatsNullAsAbsent) {
    const Document d = parse(R"({"n":null,"s":"x","i":7,"f":0.5,"b":true,"o":{"a/b":[1,{"c":"d"}]}})");
    EXPECT_EQ(find(d, "n"), nullptr);
    EXPECT_EQ(find(d, "missing"), nullptr);
    EXPECT_EQ(find(Value(3), "n"), nullptr);
    EXPECT_EQ(string(d, "s"), "x");
    EXPECT_EQ(string(d, "i"), "");
    EXPECT_EQ(integer(d, "i"), 7);
    EXPECT_EQ(integer(d, "f"), std::nullopt);
    EXPECT_EQ(number(d, "f"), 0.5);
    EXPECT_EQ(boolean(d, "b"), true);
    EXPECT_EQ(boolean(d, "s"), std::nullopt);
    EXPECT_EQ(view(*at(d, "/o/a~1b/1/c")), "d");
    EXPECT_EQ(at(d, "/o/nope"), nullptr);
    EXPECT_EQ(at(d, "/n"), nullptr);
    EXPECT_EQ(at(d, "not a pointer"), nullptr);
}

TEST(Set, Replaces) {
    Document d = parse(R"({"a":1,"b":2})");
    set(d, "a", "x", d.GetAllocator());
    set(d, "c", Value(true), d.GetAllocator());
    remove(d, "b");
    remove(d, "missing");
    EXPECT_EQ(string(d, "a"), "x");
    EXPECT_EQ(d.MemberCount(), 2u);
}

}  // namespace
}  // namespace stepper::kit
