#include "core/base/text.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

TEST(Text, NearestSuggestsOnlyLikelySlips) {
    EXPECT_EQ(nearest("tiemout", {"timeout", "limits"}), "timeout");
    EXPECT_EQ(nearest("zzzzzz", {"timeout", "limits"}), std::nullopt);
}

TEST(Text, BlankIsWhatShowsNothing) {
    for (const auto* blank : {"", " \t\r\n\f\v", "\xC2\xA0", "\xE3\x80\x80 \xE2\x80\x83", "\xEF\xBB\xBF",
                              "\xE2\x80\x8B\n\xE2\x80\xA8"})
        EXPECT_TRUE(isBlank(blank)) << blank;
    for (const auto* text : {".", "\xC2\xA0x", " \xC3\xA9", "\xE2\x80\x94", "\xE3\x80\x81"})
        EXPECT_FALSE(isBlank(text)) << text;
}

}  // namespace
}  // namespace stepper
