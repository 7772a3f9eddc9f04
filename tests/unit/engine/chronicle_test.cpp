#include "core/engine/chronicle.h"

#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;

TEST(Chronicle, KeepsTheLastErrorAndWhenItWas) {
    ManualClock clock;
    Chronicle chronicle("one", clock);
    EXPECT_FALSE(chronicle.lastError());
    chronicle.failed("TIMEOUT", {ErrorClass::Timeout, "no answer within 15s"}, false, "r-1");
    clock.advance(1min);
    const WallTime at = clock.wall();
    chronicle.failed("UPSTREAM_UNAVAILABLE", {ErrorClass::Upstream, std::string(5'000, 'x')}, false, "");
    clock.advance(1min);
    chronicle.answered();
    const auto last = chronicle.lastError();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->code, "UPSTREAM_UNAVAILABLE");
    EXPECT_EQ(last->message, std::string(500, 'x'));
    EXPECT_EQ(last->at, at);
    EXPECT_EQ(last->number, 2);
}

}  // namespace
}  // namespace stepper::engine
