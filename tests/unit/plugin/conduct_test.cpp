// When a new image is taken back.
#include "core/plugin/proving/conduct.h"

#include <array>
#include <ctime>
#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/scarce_memory.h"

namespace stepper::plugin {
namespace {

TEST(Judge, Table) {
    struct {
        int64_t calls, faults, slow;
        Probation probation;
    } const table[] = {{0, 0, 0, Probation::Undecided}, {19, 2, 2, Probation::Undecided},
                       {20, 0, 0, Probation::Passed},   {20, 2, 2, Probation::Passed},
                       {3, 3, 0, Probation::Failed},    {1, 0, 3, Probation::Failed},
                       {20, 3, 0, Probation::Failed}};
    for (const auto& row : table)
        EXPECT_EQ(judge(row.calls, row.faults, row.slow), row.probation)
            << row.calls << " " << row.faults << " " << row.slow;
}

TEST(Conduct, WithoutProbationNothingIsDecided) {
    Conduct conduct;
    for (int i = 0; i < 30; ++i) conduct.callEnded("it lost a byte");
    EXPECT_EQ(conduct.probation(), Probation::Passed);
    EXPECT_EQ(conduct.counts().faults, 30);
}

TEST(Conduct, PassesOnceAndStaysPassed) {
    Conduct conduct;
    int decided = 0;
    conduct.callEnded("it lost a byte");
    conduct.onAttention([&] { ++decided; });
    conduct.beginProbation();
    for (int i = 0; i < kProbationCalls; ++i) {
        EXPECT_EQ(conduct.probation(), Probation::Undecided);
        conduct.callEnded(i < 2 ? std::optional<std::string>("it lost a byte") : std::nullopt);
    }
    EXPECT_EQ(conduct.probation(), Probation::Passed);
    for (int i = 0; i < 10; ++i) conduct.callEnded("it lost a byte");
    EXPECT_EQ(conduct.probation(), Probation::Passed);
    EXPECT_EQ(decided, 1);
}

TEST(Conduct, FailsWithItsReason) {
    Conduct faulty, slow;
    int decided = 0;
    faulty.onAttention([&] { ++decided; });
    faulty.beginProbation();
    slow.onAttention([&] { ++decided; });
    slow.beginProbation();
    faulty.callEnded({});
    for (int i = 0; i < kProbationFaults; ++i) {
        faulty.callEnded("it lost a byte");
        slow.slowStep();
    }
    EXPECT_EQ(faulty.probation(), Probation::Failed);
    EXPECT_EQ(faulty.complaint(),
              "of its first 4 calls, 3 failed by the plugin's own fault, the last one so: it lost a byte");
    EXPECT_EQ(slow.probation(), Probation::Failed);
    EXPECT_EQ(slow.complaint(), "of its first 0 calls, 3 took more than 100 ms in one step");
    EXPECT_EQ(decided, 2);
}

TEST(Conduct, KnowsItsOldestStep) {
    Conduct conduct;
    const SteadyTime now = std::chrono::steady_clock::now();
    EXPECT_EQ(conduct.oldestStep(), std::nullopt);
    std::vector<size_t> slots;
    for (int i = 0; i < 64; ++i) slots.push_back(conduct.stepBegins(now + milliseconds{i}));
    EXPECT_EQ(std::set<size_t>(slots.begin(), slots.end()).size(), 64u);
    conduct.stepEnded(conduct.stepBegins(now - milliseconds{5}));  // one too many is not watched
    EXPECT_EQ(conduct.oldestStep(), now);
    conduct.stepEnded(slots[0]);
    EXPECT_EQ(conduct.oldestStep(), now + milliseconds{1});
    for (const size_t slot : slots) conduct.stepEnded(slot);
    EXPECT_EQ(conduct.oldestStep(), std::nullopt);
}

TEST(Conduct, NeedsNoMemoryForWhatDestructorsTell) {
    Conduct conduct;
    const auto told = std::make_shared<int>(0);
    // Larger than what a function has room for.
    conduct.onAttention([told, more = std::array<char, 64>{}] { *told += 1 + more[0]; });
    conduct.beginProbation();
    for (int i = 0; i < kProbationFaults; ++i) {
        std::optional<std::string> fault = "it lost a byte of what it was given, and then another";
        test::refuseAllocation(1);
        EXPECT_NO_THROW(conduct.callEnded(std::move(fault)));
        EXPECT_NO_THROW(conduct.slowStep());
        EXPECT_FALSE(test::wasRefused());
        test::refuseAllocation(0);
    }
    EXPECT_EQ(conduct.probation(), Probation::Failed);
    EXPECT_TRUE(conduct.complaint().ends_with("and then another")) << conduct.complaint();
    EXPECT_EQ(*told, 1);
}

void compute(milliseconds d) {
    const auto cpu = [] {
        timespec t{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return milliseconds{t.tv_sec * 1'000 + t.tv_nsec / 1'000'000};
    };
    for (const auto end = cpu() + d; cpu() < end;) {
    }
}

TEST(StepTimer, TellsOfWhatComputesTooLong) {
    Conduct conduct;
    conduct.beginProbation();
    { const StepTimer quick(conduct); }
    EXPECT_EQ(conduct.counts().slow_steps, 0);
    {
        const StepTimer slow(conduct);
        compute(kSlowStep + milliseconds{20});
    }
    EXPECT_EQ(conduct.counts().slow_steps, 1);
}

}  // namespace
}  // namespace stepper::plugin
