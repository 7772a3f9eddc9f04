#include "core/api/query.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

TEST(WholeNumber, WithinItsBoundsOrNone) {
    EXPECT_EQ(wholeNumber("1", 1, 31), 1);
    EXPECT_EQ(wholeNumber("31", 1, 31), 31);
    EXPECT_EQ(wholeNumber("0031", 1, 31), 31);
    for (const auto* bad : {"", "0", "32", "-1", "+1", "1.5", " 1", "1 ", "1e1", "x", "99999999999999999999"})
        EXPECT_EQ(wholeNumber(bad, 1, 31), std::nullopt) << bad;
}

}  // namespace
}  // namespace stepper::api
