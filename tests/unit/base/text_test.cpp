#include "core/base/text.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

TEST(Text, NearestSuggestsOnlyLikelySlips) {
    EXPECT_EQ(nearest("tiemout", {"timeout", "limits"}), "timeout");
    EXPECT_EQ(nearest("zzzzzz", {"timeout", "limits"}), std::nullopt);
}

}  // namespace
}  // namespace stepper
