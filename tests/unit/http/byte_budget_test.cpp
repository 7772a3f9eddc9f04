#include "core/http/byte_budget.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace stepper::http {
namespace {

TEST(ByteBudget, WhatFindsNoRoomTakesNoneFromOthersMeanwhile) {
    ByteBudget budget(100'000);
    std::atomic<bool> over{false};
    std::thread greedy([&] {
        ByteBudget::Share share(budget);
        while (!over) EXPECT_FALSE(share.grow(200'000));
    });
    int refused = 0;
    for (int i = 0; i < 200'000; ++i) refused += !ByteBudget::Share(budget).grow(ByteBudget::kFree + 1);
    over = true;
    greedy.join();
    EXPECT_EQ(refused, 0);
    EXPECT_EQ(budget.used(), 0u);
}

TEST(ByteBudget, IsFilledToTheLastByteAndWhatIsTakenBeyondItLeavesNoRoom) {
    ByteBudget budget(100'000);
    ByteBudget::Share all(budget), more(budget);
    EXPECT_FALSE(all.grow(ByteBudget::kFree + 100'001));
    EXPECT_TRUE(all.grow(ByteBudget::kFree + 100'000));
    EXPECT_TRUE(more.grow(ByteBudget::kFree));
    EXPECT_FALSE(more.grow(1));
    more.take(1);
    EXPECT_FALSE(more.grow(1));
    EXPECT_EQ(budget.used(), 100'001u);
}

}  // namespace
}  // namespace stepper::http
