// The thread that takes signals, told what the system would tell it.
#include "core/app/ending.h"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

namespace stepper::app {
namespace {

// Stands in for the system's: a test says what each wait of the listener, which is given its patience, ends
// with. Never destroyed, for the listener waits for ever.
class Waits {
public:
    using Wait = std::function<int(std::chrono::seconds)>;

    static Waits& instance() {
        static auto* const waits = new Waits;
        return *waits;
    }
    // Returns once the listener has been through.
    void script(std::vector<Wait> waits) {
        std::unique_lock lock(mutex_);
        script_ = std::move(waits);
        done_ = 0;
        changed_.notify_all();
        changed_.wait(lock, [this] { return done_ == script_.size(); });
    }
    int next(std::chrono::seconds patience) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return done_ < script_.size(); });
        const int signal = script_[done_](patience);
        ++done_;
        changed_.notify_all();
        return signal;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Wait> script_;
    size_t done_ = 0;
};

constexpr int kNone = -1;  // the time is over

TEST(Ending, WhatIsAllowedWhileItWaitsForTheEndCounts) {
    const auto ending = Ending::prepare();
    std::vector<std::chrono::seconds> patience;
    Waits::instance().script({
        [&](auto given) { return patience.push_back(given), SIGTERM; },
        [&](auto given) {
            patience.push_back(given);
            ending->allow(std::chrono::hours(1));
            return kNone;
        },
        [&](auto given) { return patience.push_back(given), kNone; },
    });
    EXPECT_EQ(ending->wait(milliseconds{0}), Ending::Asked::End);
    ASSERT_EQ(patience.size(), 3u);
    EXPECT_LE(patience[1], std::chrono::seconds(15));
    EXPECT_GT(patience[2], std::chrono::seconds(3'000));
}

TEST(EndingDeathTest, WhatDoesNotEndInTimeIsLeft) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            const auto ending = Ending::prepare();
            ending->allow(-std::chrono::hours(1));
            Waits::instance().script({[](auto) { return SIGTERM; }, [](auto) { return kNone; }});
        },
        testing::ExitedWithCode(1), "something does not end");
}

}  // namespace
}  // namespace stepper::app

extern "C" int sigtimedwait(const sigset_t*, siginfo_t*, const timespec* patience) {
    const int signal = stepper::app::Waits::instance().next(std::chrono::seconds(patience->tv_sec));
    if (signal < 0) errno = EAGAIN;
    return signal;
}
