#include "stepper/kit/think.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/kit/reasoning_cases.h"

namespace stepper::kit {
namespace {

// What a host that keeps to the rules makes of the pieces.
ThinkStripper::Output collected(const std::vector<std::string_view>& pieces, bool opened = false) {
    ThinkStripper stripper(opened);
    ThinkStripper::Output all;
    const auto add = [&](const ThinkStripper::Output& out) {
        if (out.took_back) all.reasoning += std::exchange(all.text, {});
        all.text += out.text;
        all.reasoning += out.reasoning;
    };
    for (const std::string_view piece : pieces) add(stripper.feed(piece));
    add(stripper.finish());
    return all;
}

void expectAtEverySplit(std::string_view s, std::string_view text, std::string_view reasoning, bool opened) {
    // Long texts are cut in three only where the pieces are short.
    const size_t middle = s.size() > 40 ? 4 : s.size();
    for (size_t i = 0; i <= s.size(); ++i)
        for (size_t j = i; j <= std::min(i + middle, s.size()); ++j) {
            const auto out = collected({s.substr(0, i), s.substr(i, j - i), s.substr(j)}, opened);
            ASSERT_EQ(out.text, text) << s << " cut at " << i << ", " << j;
            ASSERT_EQ(out.reasoning, reasoning) << s << " cut at " << i << ", " << j;
        }
}

TEST(ThinkStripper, GivesTheSameAtEverySplit) {
    for (const auto& c : kReasoningCases) expectAtEverySplit(c.answer, c.text, c.reasoning, false);
}

TEST(ThinkStripper, StartsInsideTheBlockWhenItsOpenerIsKnownToBeSwallowed) {
    expectAtEverySplit("prefilled</think>\nHi", "Hi", "prefilled", true);
    expectAtEverySplit("h\xC3\xA9<<</think>\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80", "h\xC3\xA9<<", true);
    expectAtEverySplit("no end", "", "no end", true);
}

// Marks, parts of marks and what may stand around them, in any order.
TEST(ThinkStripper, MakesTheSameOfAnythingWhereverItIsCut) {
    constexpr const char* kPieces[] = {"<think>",
                                       "</think>",
                                       "<thinking>",
                                       "</thinking>",
                                       "<reasoning>",
                                       "</reasoning>",
                                       "[THINK]",
                                       "[/THINK]",
                                       "<|channel|>",
                                       "analysis",
                                       "final",
                                       "<|message|>",
                                       "<|end|>",
                                       "<|start|>assistant",
                                       "<|return|>",
                                       "assistantfinal",
                                       "\xE2\x97\x81think\xE2\x96\xB7",
                                       "\xE2\x97\x81/think\xE2\x96\xB7",
                                       "</thi",
                                       "<",
                                       "|>",
                                       "\n",
                                       "\n\n",
                                       " ",
                                       "\r\n",
                                       "`",
                                       "```\n",
                                       "~~~",
                                       "\"",
                                       "*",
                                       ".",
                                       "word",
                                       "Text ",
                                       "{\"a\":1}",
                                       "A"};
    std::mt19937 random(20261127);
    const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
    for (int n = 0; n < 5'000; ++n) {
        std::string s;
        for (size_t left = below(12); left > 0; --left) s += kPieces[below(std::size(kPieces))];
        std::vector<std::string_view> pieces;
        const size_t longest = n % 2 ? 3 : 9;
        for (size_t at = 0; at < s.size();) {
            pieces.push_back(std::string_view(s).substr(at, 1 + below(longest)));
            at += pieces.back().size();
        }
        const auto whole = collected({s}), cut = collected(pieces);
        ASSERT_EQ(whole.text, cut.text) << s;
        ASSERT_EQ(whole.reasoning, cut.reasoning) << s;
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

TEST(ThinkStripper, TakesBackOnlyWhatWasGiven) {
    ThinkStripper at_once;
    EXPECT_FALSE(at_once.feed("because\n</think>\n42").took_back);

    ThinkStripper later;
    EXPECT_EQ(later.feed("because\n").text, "because\n");
    const auto out = later.feed("</think>\n42");
    EXPECT_TRUE(out.took_back);
    EXPECT_EQ(out.text, "42");
}

// A model that loses itself in white space, token by token.
TEST(ThinkStripper, EndlessWhiteSpaceTakesNoLongerThanItIs) {
    ThinkStripper stripper;
    for (int n = 0; n < 200'000; ++n) ASSERT_EQ(stripper.feed(" ").text, "");
    EXPECT_EQ(stripper.finish().text.size(), 200'000u);
}

// One that looked back for every mark would take minutes.
TEST(ThinkStripper, ALongLineOfMarksTakesNoLongerThanItIs) {
    std::string s;
    while (s.size() < 200'000) s += "x </think> ";
    EXPECT_EQ(collected({s}).text, s);
}

}  // namespace
}  // namespace stepper::kit
