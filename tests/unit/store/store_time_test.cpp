#include "core/store/store_time.h"

#include <gtest/gtest.h>

namespace stepper::store {
namespace {

using namespace std::chrono_literals;

class Times : public testing::Test {
protected:
    void keep() {
        if (const std::string text = time_->toKeep(); !text.empty()) kept_ = text;
    }
    // As a process that ends, and one that begins on what it left.
    void restart() {
        keep();
        time_.emplace(clock_, kept_);
    }
    // With the whole machine, whose wall clock is so much off then.
    void restartMachine(milliseconds set_by) {
        keep();
        clock_.startMachineAnew();
        clock_.setWallBy(set_by);
        killAndRestart();
    }
    // Like one that was killed some time after it kept anything.
    void killAndRestart() { time_.emplace(clock_, kept_); }
    int64_t now() const { return time_->now(); }
    WallTime shown(int64_t moment) const { return WallTime{milliseconds{moment}} + time_->toWall(); }

    ManualClock clock_;
    std::string kept_;
    std::optional<StoreTime> time_{std::in_place, clock_, ""};
    const int64_t start_ = time_->now();
};

TEST_F(Times, BeginsAsWallTime) {
    EXPECT_EQ(WallTime{milliseconds{start_}}, clock_.wall());
    EXPECT_EQ(time_->toWall(), 0ms);
}

TEST_F(Times, CountsWhatPassedWhateverTheWallClockIsSetTo) {
    int64_t passed = 0;
    for (const auto set : {0h, 6h, -12h, -87'600h, 100h, 87'600h}) {
        for (const bool restarts : {false, true, true}) {
            SCOPED_TRACE(set.count());
            clock_.setWallBy(set);
            clock_.advance(90s);
            passed += 90'000;
            if (restarts) restart();
            EXPECT_EQ(now() - start_, passed);
            EXPECT_EQ(shown(now()), clock_.wall());
        }
    }
}

TEST_F(Times, CountsThroughAKillThatItDidNotForesee) {
    restart();
    clock_.advance(3h);
    clock_.setWallBy(-5h);
    clock_.advance(1h);
    killAndRestart();
    EXPECT_EQ(now() - start_, milliseconds{4h}.count());
}

TEST_F(Times, AsksTheWallClockHowLongTheMachineWasOff) {
    struct Off {
        milliseconds wall_says, passes;
    };
    for (const Off& off : {Off{0ms, 0ms}, {10h, 10h}, {-2s, 0ms}, {-10h, 0ms}, {-438'000h, 0ms}}) {
        SCOPED_TRACE(off.wall_says.count());
        const int64_t before = now();
        restartMachine(off.wall_says);
        EXPECT_EQ(now() - before, off.passes.count());
        EXPECT_EQ(shown(now()), clock_.wall());
    }
}

// A machine that starts at 1970 and learns better later, in its next life.
TEST_F(Times, AWallClockThatIsBehindAtTheStartIsNoMeasureForTheNextOne) {
    const auto behind = 438'000h;
    restartMachine(-behind);
    clock_.advance(2min);
    restartMachine(behind + 1h);
    EXPECT_EQ(now() - start_, milliseconds{1h + 2min}.count());
}

TEST_F(Times, NorIsItWhenTheProcessWasRestartedMeanwhile) {
    const auto behind = 438'000h;
    restartMachine(-behind);
    clock_.advance(2min);
    restart();
    clock_.advance(2min);
    restartMachine(behind + 1h);
    EXPECT_EQ(now() - start_, milliseconds{1h + 4min}.count());
}

TEST_F(Times, OnceTheWallClockIsSetItIsTheMeasureAgain) {
    restartMachine(-100h);
    clock_.setWallBy(60h);
    restartMachine(2h);
    EXPECT_EQ(now() - start_, milliseconds{2h}.count());
}

TEST_F(Times, UptimesOfOtherMachinesAreNotComparedWith) {
    kept_ = std::to_string(start_) + " 1000 " + std::to_string(start_) + " another-machine";
    killAndRestart();
    EXPECT_EQ(now(), start_);
    // The same name, but the uptime went back: a container that was moved.
    kept_ = std::to_string(start_) + " 999999999999 " + std::to_string(start_) + " boot-1";
    killAndRestart();
    EXPECT_EQ(now(), start_);
    // Where the kernel does not tell.
    kept_ = std::to_string(start_) + " 1000 " + std::to_string(start_) + " ";
    killAndRestart();
    EXPECT_EQ(now(), start_);
}

TEST_F(Times, WhatIsNoKeptTimeIsAsGoodAsNone) {
    for (const char* text : {"x", "1 2", "1 2 x boot"}) {
        kept_ = text;
        killAndRestart();
        EXPECT_EQ(now(), start_) << text;
    }
}

TEST_F(Times, IsKeptWhenItIsNewsOnly) {
    EXPECT_NE(time_->toKeep(), "");
    EXPECT_NE(time_->toKeep(), "") << "it was not durable";
    time_->kept();
    EXPECT_EQ(time_->toKeep(), "");
    clock_.setWallBy(-3s);
    EXPECT_NE(time_->toKeep(), "");
    time_->kept();
    clock_.advance(59s);
    EXPECT_EQ(time_->toKeep(), "");
    clock_.advance(1s);
    EXPECT_NE(time_->toKeep(), "");
}

TEST_F(Times, AWallClockThatIsSetWhileItIsKeptIsNewsStill) {
    EXPECT_NE(time_->toKeep(), "");
    clock_.setWallBy(1h);
    time_->toWall();
    time_->kept();
    EXPECT_NE(time_->toKeep(), "");
}

TEST_F(Times, WhatPeopleReadDoesNotWaver) {
    Job job;
    job.created = job.updated = WallTime{milliseconds{start_}};
    for (const auto by : {400ms, -800ms, 900ms}) {
        clock_.setWallBy(by);
        Job shown = job;
        time_->show(shown);
        EXPECT_EQ(shown.created, job.created);
    }
    clock_.setWallBy(-1h);
    job.run_at = job.finished = job.created + 5s;
    time_->show(job);
    EXPECT_EQ(job.created, clock_.wall());
    EXPECT_EQ(job.run_at, clock_.wall() + 5s);
    EXPECT_EQ(job.finished, clock_.wall() + 5s);
}

}  // namespace
}  // namespace stepper::store
