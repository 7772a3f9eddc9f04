#include "core/base/canonical_json.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace stepper {
namespace {

std::string canonical(std::string_view text) {
    const auto parsed = json::parse(text);
    return parsed.ok() ? canonicalJson(*parsed) : parsed.error().message;
}

// RFC 8785, appendix B.
TEST(CanonicalJson, NumbersOfTheRfc) {
    const std::pair<uint64_t, const char*> cases[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (const auto& [bits, expected] : cases) EXPECT_EQ(es6Number(std::bit_cast<double>(bits)), expected);
}

TEST(CanonicalJson, NotationAndIntegerTypeDoNotMatter) {
    const std::pair<const char*, const char*> cases[] = {
        {"1", "1"},
        {"1.0", "1"},
        {"10e-1", "1"},
        {"-0", "0"},
        {"-0.0", "0"},
        {"-1.50", "-1.5"},
        {"1E2", "100"},
        {"1e-7", "1e-7"},
        {"1e20", "100000000000000000000"},
        {"9007199254740991", "9007199254740991"},
        {"9007199254740993", "9007199254740992"},
        {"-9007199254740993", "-9007199254740992"},
        {"18446744073709551615", "18446744073709552000"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(canonical(text), expected) << text;
}

// RFC 8785, 3.2.3.
TEST(CanonicalJson, MembersAreSortedByUtf16CodeUnits) {
    EXPECT_EQ(canonical(R"({
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis"})"),
              "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\","
              "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
              "\"\U0001F600\":\"Emoji: Grinning Face\",\"\uFB33\":\"Hebrew Letter Dalet With Dagesh\"}");
    // The edges of the code points that UTF-16 puts out of order, and prefixes.
    EXPECT_EQ(
        canonical(
            R"({"\uffff":0,"\ue000":0,"\udbff\udfff":0,"\ud800\udc00":0,"\ud7ff":0,"ab":0,"a":0,"":0})"),
        "{\"\":0,\"a\":0,\"ab\":0,\"\uD7FF\":0,\"\U00010000\":0,\"\U0010FFFF\":0,\"\uE000\":0,\"\uFFFF\":0}");
}

// RFC 8785, 3.2.2.
TEST(CanonicalJson, LiteralsStringsAndNesting) {
    EXPECT_EQ(canonical(R"({
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]})"),
              "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
              "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    EXPECT_EQ(canonical(R"([ {}, [], {"b": {"d": [1, 2], "c": ""}, "a": [[ ]]} ])"),
              R"([{},[],{"a":[[]],"b":{"c":"","d":[1,2]}}])");
    EXPECT_EQ(canonical(R"("\u0000\u0008\t\n\u000b\f\r\u001F\u007f\u2028")"),
              "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\x7f\u2028\"");
}

TEST(CanonicalJson, DuplicateNamesKeepTheirOrder) {
    EXPECT_EQ(canonical(R"({"b":1,"a":2,"b":3,"a":4})"), R"({"a":2,"a":4,"b":1,"b":3})");
}

TEST(CanonicalJson, EveryDoubleIsReadBackExactly) {
    std::mt19937_64 random(8785);
    for (int i = 0; i < 200'000; ++i) {
        // Half of them of everyday size, where the notation has more cases.
        const double d =
            i % 2 ? std::bit_cast<double>(random())
                  : std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 160) - 110);
        if (!std::isfinite(d)) continue;
        const std::string text = es6Number(d);
        double back = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), back);
        ASSERT_TRUE(error == std::errc{} && end == text.data() + text.size() && back == d) << text;
        ASSERT_EQ(canonical(text), text);
    }
}

json::Value randomValue(std::mt19937_64& random, int depth, json::Allocator& a) {
    const auto text = [&] {
        static constexpr std::string_view kParts[] = {"a",    "B",      "\"",     "\\",        "\n",
                                                      "\x01", "\u00e9", "\uE000", "\U0001F602"};
        std::string s;
        for (auto n = random() % 4; n > 0; --n) s += kParts[random() % std::size(kParts)];
        return json::text(s, a);
    };
    switch (random() % (depth > 0 ? 7 : 5)) {
        case 0: return json::Value();
        case 1: return json::Value(random() % 2 == 0);
        case 2: return json::Value(static_cast<int64_t>(random()));
        case 3:
            return json::Value(
                std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 100));
        case 4: return text();
        case 5: {
            json::Value array(rapidjson::kArrayType);
            for (auto n = random() % 5; n > 0; --n) array.PushBack(randomValue(random, depth - 1, a), a);
            return array;
        }
        default: {
            json::Value object(rapidjson::kObjectType);
            for (auto n = random() % 5; n > 0; --n)
                object.AddMember(text(), randomValue(random, depth - 1, a), a);
            return object;
        }
    }
}

TEST(CanonicalJson, CanonicalTextIsItsOwnCanonicalText) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 3'000; ++i) {
        json::Document holder;
        const std::string text = canonicalJson(randomValue(random, 4, holder.GetAllocator()));
        ASSERT_EQ(canonical(text), text);
    }
}

}  // namespace
}  // namespace stepper
