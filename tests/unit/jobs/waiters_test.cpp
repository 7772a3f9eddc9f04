#include "core/jobs/waiters.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace stepper::jobs {
namespace {

using Woken = Waiters::Wait::Woken;

SteadyTime inMs(int n) { return std::chrono::steady_clock::now() + milliseconds{n}; }

TEST(Waiters, AChangeBeforeTheSleepIsNotMissed) {
    Waiters waiters;
    Waiters::Wait wait(waiters, "a");
    waiters.notify("a");
    EXPECT_EQ(wait.sleep({}, inMs(10'000)), Woken::Changed);
}

TEST(Waiters, WakesAllWhoWaitForTheJobAndNobodyElse) {
    Waiters waiters;
    Waiters::Wait first(waiters, "a"), second(waiters, "a"), other(waiters, "b");
    std::thread notifier([&] { waiters.notify("a"); });
    EXPECT_EQ(first.sleep({}, inMs(10'000)), Woken::Changed);
    EXPECT_EQ(second.sleep({}, inMs(10'000)), Woken::Changed);
    EXPECT_EQ(other.sleep({}, inMs(1)), Woken::Time);
    notifier.join();
}

TEST(Waiters, AClientThatStopsEndsItsWaitOnly) {
    Waiters waiters;
    CancelSource gone(CancelReason::ClientGone);
    CancelToken client;
    client.watch(gone);
    gone.cancel();
    Waiters::Wait stopped(waiters, "a"), other(waiters, "a");
    EXPECT_EQ(stopped.sleep(client, inMs(10'000)), Woken::Stopped);
    EXPECT_EQ(other.sleep({}, inMs(1)), Woken::Time);
}

TEST(Waiters, ClosingWakesThoseThereAndThoseToCome) {
    Waiters waiters;
    Waiters::Wait before(waiters, "a");
    waiters.close();
    Waiters::Wait after(waiters, "a");
    EXPECT_EQ(before.sleep({}, inMs(10'000)), Woken::Stopped);
    EXPECT_EQ(after.sleep({}, inMs(10'000)), Woken::Stopped);
}

// The sanitizers watch.
TEST(Waiters, MayComeAndGoWhileTheirJobChanges) {
    Waiters waiters;
    std::atomic<bool> over{false};
    std::thread changing([&] {
        while (!over) waiters.notify("job");
    });
    for (int i = 0; i < 20'000; ++i) Waiters::Wait(waiters, "job");
    over = true;
    changing.join();
}

}  // namespace
}  // namespace stepper::jobs
