#include "stepper/kit/text.hpp"

#include <gtest/gtest.h>

namespace stepper::kit {
namespace {

TEST(Contains, MatchesPiecesInOrder) {
    EXPECT_TRUE(contains("your credit balance is too low", "credit*too low"));
    EXPECT_FALSE(contains("too low a credit", "credit*too low"));
    EXPECT_TRUE(contains("abc", "b"));
    EXPECT_FALSE(contains("abc", "cb"));
}

TEST(MaskKeys, HidesWhatLooksLikeAKey) {
    const std::pair<const char*, const char*> cases[] = {
        {"Incorrect API key provided: sk-te**********7890. You", "Incorrect API key provided: [key]. You"},
        {"key xa***yz.", "key [key]."},
        {"used AIzaSyA1234567890 here", "used [key] here"},
        {"token hf_abcDEF123, bad", "token [key], bad"},
        {"nvapi-abc_DEF-123", "[key]"},
        {"Authorization: Bearer 12ab34cd", "Authorization: Bearer [key]"},
        {"c0ffee00c0ffee00c0ffee00c0ffee00", "[key]"},
        {"a Bearer token is missing", "a Bearer token is missing"},
        {"model gpt-5.4-mini, task-based, risk-free", "model gpt-5.4-mini, task-based, risk-free"},
        {"meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta-llama/Llama-3.3-70B-Instruct-Turbo"},
        {"wait...", "wait..."},
    };
    for (const auto& [in, out] : cases) EXPECT_EQ(maskKeys(in), out);
}

TEST(HtmlText, PrefersTheTitle) {
    EXPECT_EQ(htmlText("<html><head><title>401 Authorization Required</title></head><body>x</body>"),
              "401 Authorization Required");
    EXPECT_EQ(presentable(htmlText("<p>Hello <b>you</b><script>var x = 1;</script><style>p{}</style> there")),
              "Hello you there");
    for (const char* broken : {"<", "<title", "<title>", "<script>no end", "a<", "<title></title>"})
        htmlText(broken);
}

TEST(Presentable, IsOneShortValidLine) {
    EXPECT_EQ(presentable(" a\n\tb\x01 c "), "a b c");
    EXPECT_EQ(presentable("x\xC3"), "x\xEF\xBF\xBD");
    EXPECT_EQ(presentable("ab\xC3\xA9", 3), "ab");
    EXPECT_EQ(presentable(std::string(5000, 'x')).size(), 300u);
}

}  // namespace
}  // namespace stepper::kit
