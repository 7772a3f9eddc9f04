#include "stepper/kit/think.hpp"

#include <gtest/gtest.h>

namespace stepper::kit {
namespace {

struct Case {
    const char *answer, *text, *reasoning;
    bool opened = false;
};

constexpr Case kCases[] = {
    {"<think>plan</think>\n\nHi", "Hi", "plan"},
    {" \n<think>a < b </thin </think>Hi", "Hi", "a < b </thin "},
    {"<think></think>Hi", "Hi", ""},
    {"<think>never closed </thi", "", "never closed </thi"},
    {"<think>", "", ""},
    {"Hi <think>not leading</think>", "Hi <think>not leading</think>", ""},
    {"<thinking>other tag</thinking>", "<thinking>other tag</thinking>", ""},
    {"  <thi", "  <thi", ""},
    {"<think>a</think> \n ", "", "a"},
    {"<think>a</think>b</think>c", "b</think>c", "a"},
    {"", "", ""},
    {"prefilled</think>\nHi", "Hi", "prefilled", true},
    {"h\xC3\xA9<<</think>\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80", "h\xC3\xA9<<", true},
    {"no end", "", "no end", true},
};

ThinkStripper::Output run(const Case& c, std::initializer_list<std::string_view> pieces) {
    ThinkStripper stripper(c.opened);
    ThinkStripper::Output all;
    const auto add = [&](const ThinkStripper::Output& out) {
        all.text += out.text;
        all.reasoning += out.reasoning;
    };
    for (const std::string_view piece : pieces) add(stripper.feed(piece));
    add(stripper.finish());
    return all;
}

TEST(ThinkStripper, GivesTheSameAtEverySplit) {
    for (const Case& c : kCases) {
        const std::string_view s = c.answer;
        for (size_t i = 0; i <= s.size(); ++i)
            for (size_t j = i; j <= s.size(); ++j) {
                const auto out = run(c, {s.substr(0, i), s.substr(i, j - i), s.substr(j)});
                EXPECT_EQ(out.text, c.text) << s << " cut at " << i << ", " << j;
                EXPECT_EQ(out.reasoning, c.reasoning) << s << " cut at " << i << ", " << j;
            }
    }
}

TEST(ThinkStripper, HoldsBackOnlyWhatMayBeATag) {
    ThinkStripper stripper;
    EXPECT_EQ(stripper.feed("  <th").text, "");
    EXPECT_EQ(stripper.feed("e").text, "  <the");
    EXPECT_EQ(stripper.feed(" <think>").text, " <think>");

    ThinkStripper inside;
    EXPECT_EQ(inside.feed("<think>abc</").reasoning, "abc");
    EXPECT_EQ(inside.feed("x").reasoning, "</x");
}

TEST(StripThink, KnowsABlockWithoutItsOpeningTag) {
    const auto out = stripThink("because\n</think>\n\n42");
    EXPECT_EQ(out.text, "42");
    EXPECT_EQ(out.reasoning, "because\n");
    EXPECT_EQ(stripThink("plain").text, "plain");
    EXPECT_EQ(stripThink("<think>a</think>b").text, "b");
}

}  // namespace
}  // namespace stepper::kit
