// How an image has behaved: what decides whether a new one stays. Safe from any thread.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.h"

namespace stepper::plugin {

// Of the first calls of a new image, so many may go wrong by the plugin's own fault before it is taken back.
inline constexpr int kProbationCalls = 20, kProbationFaults = 3;
// A step that keeps its thread longer than this, by computing or by blocking, is such a fault.
inline constexpr milliseconds kSlowStep{100};

// What the counts of a probation mean.
enum class Verdict { Undecided, Passed, Failed };
Verdict judge(int64_t calls, int64_t faults, int64_t slow_steps);

class Conduct {
public:
    struct Counts {
        int64_t calls = 0, faults = 0, slow_steps = 0;
    };

    // One session is over; `at_fault`: the plugin broke the ABI, reported a bug of its own, or crashed.
    void callEnded(bool at_fault);
    void slowStep();
    Counts counts() const;

    // Around each step that runs in this process. Of more than some dozens at once, the rest are not watched.
    size_t stepBegins(SteadyTime now);
    void stepEnded(size_t slot);
    // When the step began that has been running longest; none runs: empty.
    std::optional<SteadyTime> oldestStep() const;

    // From now on the counts start over and are judged; `decided` is called once, on the thread of the call
    // that decided.
    void beginProbation(std::function<void()> decided);
    // Undecided until probation is over; Passed when there was none.
    Verdict verdict() const { return verdict_; }
    // Complete sentence on why it failed.
    std::string complaint() const;

private:
    void weigh();

    static constexpr size_t kSlots = 64;
    std::array<std::atomic<int64_t>, kSlots> steps_{};  // when each began, in ticks of the clock; 0: none
    std::atomic<int64_t> calls_{0}, faults_{0}, slow_steps_{0};
    std::atomic<Verdict> verdict_{Verdict::Passed};
    mutable std::mutex mutex_;  // the rest
    std::function<void()> decided_;
    Counts at_verdict_;
};

// Lives around one step and tells of a slow one. A thread that was merely not scheduled is not held against
// the plugin.
class StepTimer {
public:
    explicit StepTimer(Conduct& conduct);
    ~StepTimer();
    StepTimer(const StepTimer&) = delete;
    StepTimer& operator=(const StepTimer&) = delete;

private:
    Conduct& conduct_;
    const bool probation_;
    const SteadyTime began_;
    const size_t slot_;
    int64_t cpu_us_ = 0, blocked_ = 0;
};

}  // namespace stepper::plugin
