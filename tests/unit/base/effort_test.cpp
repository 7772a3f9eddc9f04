#include "core/base/effort.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

TEST(Effort, EndsWhenItsStepsAreUsedUp) {
    constexpr size_t kSteps = 3 * Effort::kLookEvery + 5;
    Effort exact(kSteps);
    for (size_t spent = 0; spent < kSteps; spent += 5)
        ASSERT_TRUE(exact.spend(std::min<size_t>(5, kSteps - spent)));
    EXPECT_FALSE(exact.spend(1));

    Effort at_once(kSteps);
    EXPECT_TRUE(at_once.spend(kSteps));
    EXPECT_FALSE(at_once.spend(1));

    Effort too_much(kSteps);
    EXPECT_FALSE(too_much.spend(kSteps + 1));
    EXPECT_TRUE(too_much.spend(kSteps)) << "what was refused took nothing";
    EXPECT_FALSE(too_much.interruption());

    Effort unbounded(Effort::kUnbounded);
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(unbounded.spend(size_t{1} << 40));
}

TEST(Effort, AsksNowAndThenAndStaysInterrupted) {
    size_t asked = 0;
    std::optional<Error> why;
    Effort effort(Effort::kUnbounded, [&] {
        ++asked;
        return why;
    });
    ASSERT_TRUE(effort.spend(Effort::kLookEvery));
    EXPECT_EQ(asked, 0u) << "what is brief is not worth a look";
    for (size_t i = 0; i < 10 * Effort::kLookEvery; ++i) ASSERT_TRUE(effort.spend(1));
    EXPECT_EQ(asked, 10u);

    why = Error{ErrorClass::Cancelled, "client_gone"};
    EXPECT_TRUE(effort.spend(0));
    size_t more = 0;
    while (effort.spend(1)) ++more;
    EXPECT_LE(more, Effort::kLookEvery);
    why.reset();
    EXPECT_FALSE(effort.spend(1));
    EXPECT_EQ(effort.interruption()->message, "client_gone");
    EXPECT_EQ(asked, 11u);
}

}  // namespace
}  // namespace stepper
