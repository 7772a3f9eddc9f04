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
#include "core/plugin/call_marks.h"

namespace stepper::plugin {

// Of the first calls of a new image, so many may go wrong by the plugin's own fault before it is taken back.
inline constexpr int kProbationCalls = 20, kProbationFaults = 3;
// A step that keeps its thread longer than this, by computing or by blocking, is such a fault.
inline constexpr milliseconds kSlowStep{100};
// After so many calls of the ABI's functions, what they do to the process is not looked at any more.
inline constexpr int kWatchedCalls = 64;

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

    // Where its calls are counted beyond the end of the process; null: nowhere. Before the first call.
    void countCallsIn(CallMark* mark) { mark_ = mark; }
    CallMark* callMark() const { return mark_; }

    // `attention` is called, on the thread of the call, whenever there is a verdict or an accusation.
    void onAttention(std::function<void()> attention);
    // It has changed the process it runs in; a sentence without a subject. The first one counts.
    void accuse(std::string of);
    std::optional<std::string> accusation() const;
    // True for the first calls, after which it is known what it does to its process. Counts them.
    bool isWatched() { return watches_left_ > 0 && watches_left_-- > 0; }

    // From now on the counts start over and are judged.
    void beginProbation();
    // Undecided until probation is over; Passed when there was none.
    Verdict verdict() const { return verdict_; }
    // Complete sentence on why it failed.
    std::string complaint() const;

private:
    void weigh();
    void call() const;

    static constexpr size_t kSlots = 64;
    std::array<std::atomic<int64_t>, kSlots> steps_{};  // when each began, in ticks of the clock; 0: none
    std::atomic<int64_t> calls_{0}, faults_{0}, slow_steps_{0};
    std::atomic<Verdict> verdict_{Verdict::Passed};
    std::atomic<int> watches_left_{kWatchedCalls};
    CallMark* mark_ = nullptr;
    mutable std::mutex mutex_;  // the rest
    std::function<void()> attention_;
    std::optional<std::string> accusation_;
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
