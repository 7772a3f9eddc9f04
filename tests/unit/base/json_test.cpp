#include "core/base/json.h"

#include <limits>

#include <gtest/gtest.h>

namespace stepper::json {
namespace {

std::string problem(std::string_view text, const ParseLimits& limits = {}) {
    const auto parsed = parse(text, limits);
    return parsed ? "parsed" : parsed.error().message;
}

TEST(Json, TakesOneTextAndNothingBehindIt) {
    EXPECT_EQ(problem(R"( {"a":[1,2.5,"x",null,true]} )"), "parsed");
    EXPECT_NE(problem("{} x"), "parsed");
    EXPECT_NE(problem(std::string_view("{}\0x", 4)), "parsed");
    EXPECT_NE(problem(""), "parsed");
    EXPECT_NE(problem("{\"a\":1,}"), "parsed");
    EXPECT_NE(problem("[01]"), "parsed");
    EXPECT_NE(problem("NaN"), "parsed");
}

TEST(Json, IsUtf8ThroughAndThrough) {
    EXPECT_EQ(problem(R"("\ud83d\ude00")"), "parsed");
    for (const auto* text : {R"("\ude00")", R"("\ud83d")", R"({"\ude00":1})", "\"\xff\"", "\"\xed\xa0\x80\""})
        EXPECT_NE(problem(text), "parsed") << text;
    EXPECT_EQ(problem("\"\xed\x95\x9c\""), "parsed");
}

TEST(Json, LimitsHoldBeforeMemoryIsSpent) {
    EXPECT_EQ(problem(std::string(64, '[') + std::string(64, ']')), "parsed");
    EXPECT_NE(problem(std::string(65, '[') + std::string(65, ']')).find("nested too deeply"),
              std::string::npos);
    EXPECT_NE(problem(std::string(1'000'000, '[')).find("nested too deeply"), std::string::npos);
    EXPECT_NE(problem("[1,2,3]", {.max_nodes = 3}).find("too many values"), std::string::npos);
}

TEST(Json, NumbersAreExact) {
    const auto d =
        parse(R"([0e100,-0,1.1,9223372036854775807,18446744073709551615,18446744073709551616,1e-999,
        0.1e1,123456789012345678901234567890,2.2250738585072011e-308])")
            .value();
    EXPECT_EQ(d[0].GetDouble(), 0.0);
    EXPECT_EQ(d[1].GetInt(), 0);
    EXPECT_EQ(d[2].GetDouble(), 1.1);
    EXPECT_EQ(d[3].GetInt64(), INT64_MAX);
    EXPECT_EQ(d[4].GetUint64(), UINT64_MAX);
    EXPECT_EQ(d[5].GetDouble(), 18446744073709551616.0);
    EXPECT_EQ(d[6].GetDouble(), 0.0);
    EXPECT_EQ(d[7].GetDouble(), 1.0);
    EXPECT_EQ(d[8].GetDouble(), 123456789012345678901234567890.0);
    EXPECT_EQ(d[9].GetDouble(), 2.2250738585072011e-308);
    EXPECT_NE(problem("1e999"), "parsed");
    EXPECT_NE(problem("[-1e308,1" + std::string(400, '0') + "]"), "parsed");
}

TEST(Json, NumbersBeyondDoubleCountAsTheLargestOnDemand) {
    const auto d = parse("[1e400,-1e309,\"1e400 \\\" 1e400\",1" + std::string(400, '0') +
                             ",-0.0001e9999,1e-999,7,0e400,-0e400]",
                         {.any_magnitude = true})
                       .value();
    const double largest = std::numeric_limits<double>::max();
    EXPECT_EQ(d[0].GetDouble(), largest);
    EXPECT_EQ(d[1].GetDouble(), -largest);
    EXPECT_EQ(view(d[2]), "1e400 \" 1e400");
    EXPECT_EQ(d[3].GetDouble(), largest);
    EXPECT_EQ(d[4].GetDouble(), -largest);
    EXPECT_EQ(d[5].GetDouble(), 0.0);
    EXPECT_EQ(d[6].GetInt(), 7);
    EXPECT_EQ(d[7].GetDouble(), 0.0);
    EXPECT_EQ(d[8].GetDouble(), 0.0);
    EXPECT_NE(problem("[1e400", {.any_magnitude = true}), "parsed");
    for (const char* text :
         {"[1e400e1]", "[01e400]", "[+1e400]", "[1.e400]", "[.1e999]", "01e400", "--1e400"})
        EXPECT_NE(problem(text, {.any_magnitude = true}), "parsed") << text;
}

TEST(Json, DuplicateKeysAreRefusedOnlyOnDemand) {
    EXPECT_EQ(problem(R"({"a":1,"a":2})"), "parsed");
    EXPECT_NE(problem(R"({"a":1,"a":2})", {.reject_duplicate_keys = true}), "parsed");
    EXPECT_EQ(problem(R"({"a":{"a":1},"b":{"a":1}})", {.reject_duplicate_keys = true}), "parsed");
}

TEST(Json, FindsMembersByTypeAndPointer) {
    const auto d = parse(R"({"s":"x","n":1.5,"i":7,"b":false,"deep":{"list":[{"k":"v"}]}})").value();
    EXPECT_EQ(string(d, "s"), "x");
    EXPECT_EQ(string(d, "n"), std::nullopt);
    EXPECT_EQ(number(d, "n"), 1.5);
    EXPECT_EQ(integer(d, "i"), 7);
    EXPECT_EQ(integer(d, "n"), std::nullopt);
    EXPECT_EQ(boolean(d, "b"), false);
    EXPECT_EQ(view(*at(d, "/deep/list/0/k")), "v");
    EXPECT_EQ(at(d, "/deep/list/1"), nullptr);
    EXPECT_EQ(at(d, "no pointer"), nullptr);
    EXPECT_EQ(at(d, ""), &static_cast<const Value&>(d));
}

}  // namespace
}  // namespace stepper::json
