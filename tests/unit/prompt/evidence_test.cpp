#include "core/prompt/evidence.h"

#include <gtest/gtest.h>

#include "core/base/text.h"

namespace stepper::prompt {
namespace {

std::string numberedLines(size_t n) {
    std::string out;
    for (size_t i = 0; i < n; ++i) out += "line " + std::to_string(i) + "\n";
    return out;
}

TEST(CutMiddle, LeavesWhatFits) {
    EXPECT_EQ(cutMiddle("", 256), "");
    EXPECT_EQ(cutMiddle(std::string(256, 'x'), 256), std::string(256, 'x'));
}

TEST(CutMiddle, KeepsWholeLinesOfHeadAndTailAndCountsTheRest) {
    const std::string cut = cutMiddle(numberedLines(1000), 1000);
    EXPECT_LE(cut.size(), 1000u);
    EXPECT_TRUE(cut.starts_with("line 0\nline 1\n"));
    EXPECT_TRUE(cut.ends_with("line 998\nline 999\n"));

    size_t kept = 0, gone = 0;
    for (const auto line : splitLines(cut)) {
        if (line.starts_with("[... ")) {
            gone = std::stoul(std::string(line.substr(5)));
        } else {
            ++kept;
            EXPECT_TRUE(line.starts_with("line ")) << line;
        }
    }
    EXPECT_EQ(kept + gone, 1000u);
}

TEST(CutMiddle, CutsAGiantLineAtCharacters) {
    std::string giant;
    for (int i = 0; i < 1000; ++i) giant += "日本語";
    for (size_t limit = 256; limit < 270; ++limit) {
        const std::string cut = cutMiddle(giant, limit);
        EXPECT_LE(cut.size(), limit);
        EXPECT_GT(cut.size(), limit - 40);
        EXPECT_TRUE(isValidUtf8(cut));
        EXPECT_NE(cut.find("characters left out"), std::string::npos);
    }
}

TEST(SampledList, ShowsAllThatFit) {
    EXPECT_EQ(sampledList({}, 3, 10), "");
    EXPECT_EQ(sampledList({"a", "b", "c"}, 3, 10), "- a\n- b\n- c");
    EXPECT_EQ(sampledList({"src/very/long/path.cpp"}, 3, 8), "- …path.cpp");
}

TEST(SampledList, TakesEvenlyFromFirstToLast) {
    std::vector<std::string> items;
    for (int i = 0; i <= 100; ++i) items.push_back(std::to_string(i));
    EXPECT_EQ(sampledList(items, 5, 10),
              "- 0\n- 25\n- 50\n- 75\n- 100\n[... 96 of 101 left out, the rest sampled evenly ...]");
}

}  // namespace
}  // namespace stepper::prompt
