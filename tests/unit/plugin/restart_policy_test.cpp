#include "core/plugin/isolation/restart_policy.h"

#include <gtest/gtest.h>

namespace stepper::plugin {
namespace {

// Crashes as soon as it may run, `times` times.
milliseconds waitAfterCrashes(int times, const RestartPolicy::Options& options = {}) {
    RestartPolicy policy(options);
    SteadyTime now{std::chrono::hours{1}};
    for (int i = 0; i < times; ++i) {
        now += policy.wait(now);
        policy.crashed(now);
    }
    return policy.wait(now);
}

TEST(RestartPolicy, ThreeAtOnceThenDoubling) {
    const std::pair<int, int> cases[] = {{0, 0},       {1, 0},       {2, 0},       {3, 0},
                                         {4, 500},     {5, 1'000},   {6, 2'000},   {10, 32'000},
                                         {11, 60'000}, {12, 60'000}, {500, 60'000}};
    for (const auto& [crashes, wait_ms] : cases)
        EXPECT_EQ(waitAfterCrashes(crashes).count(), wait_ms) << crashes;
}

TEST(RestartPolicy, Options) {
    const RestartPolicy::Options never_at_once{0, milliseconds{10}, milliseconds{15}, milliseconds{100}};
    EXPECT_EQ(waitAfterCrashes(1, never_at_once).count(), 10);
    EXPECT_EQ(waitAfterCrashes(2, never_at_once).count(), 15);
}

TEST(RestartPolicy, TheWaitRunsOut) {
    RestartPolicy policy({0, milliseconds{500}, milliseconds{60'000}, milliseconds{60'000}});
    const SteadyTime crash{std::chrono::hours{1}};
    policy.crashed(crash);
    EXPECT_EQ(policy.wait(crash + milliseconds{100}).count(), 400);
    EXPECT_EQ(policy.wait(crash + std::chrono::microseconds{499'100}).count(), 1);
    EXPECT_EQ(policy.wait(crash + milliseconds{500}).count(), 0);
    EXPECT_EQ(policy.wait(crash + std::chrono::hours{1}).count(), 0);
}

TEST(RestartPolicy, AMinuteWithoutACrashForgives) {
    const RestartPolicy::Options options;
    const struct {
        milliseconds quiet;
        int wait_ms;
    } cases[] = {{milliseconds{59'999}, 1'000}, {milliseconds{60'000}, 0}};
    for (const auto& c : cases) {
        RestartPolicy policy(options);
        SteadyTime now{std::chrono::hours{1}};
        for (int i = 0; i < 4; ++i) policy.crashed(now);
        now += policy.wait(now) + c.quiet;
        policy.crashed(now);
        EXPECT_EQ(policy.wait(now).count(), c.wait_ms) << c.quiet.count();
    }
}

TEST(RestartPolicy, WaitingIsNoTimeWithoutACrash) {
    RestartPolicy policy({0, milliseconds{60'000}, milliseconds{60'000}, milliseconds{60'000}});
    SteadyTime now{std::chrono::hours{1}};
    policy.crashed(now);
    now += policy.wait(now);
    policy.crashed(now);
    EXPECT_EQ(policy.wait(now).count(), 60'000);
}

}  // namespace
}  // namespace stepper::plugin
