// How an image has behaved: what decides whether a new one stays. Safe from any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/plugin/isolation/call_marks.h"

namespace stepper::plugin {

// Of the first calls of a new image, so many may go wrong by the plugin's own fault before it is taken back.
inline constexpr int kProbationCalls = 20, kProbationFaults = 3;
// A step that keeps its thread longer than this, by computing or by blocking, is such a fault.
inline constexpr milliseconds kSlowStep{100};
// After so many calls of the ABI's functions, which are those of some requests, what they do to the process
// is not looked at any more: a look takes some tenths of a millisecond.
inline constexpr int kWatchedCalls = 24;

// How a probation stands, by its counts.
enum class Probation { Undecided, Passed, Failed };
Probation judge(int64_t calls, int64_t faults, int64_t slow_steps);

class Conduct {
public:
    struct Counts {
        int64_t calls = 0, faults = 0, slow_steps = 0;
    };

    // One session is over; `fault`: the plugin broke the ABI, reported a bug of its own, or crashed.
    // Destructors call this and the next: neither takes memory.
    void callEnded(std::optional<std::string> fault);
    void slowStep();
    Counts counts() const;

    // Around each step that runs in this process. Of more than some dozens at once nobody knows when the rest
    // began.
    size_t stepBegins(SteadyTime now);
    void stepEnded(size_t slot);
    // Around all other calls that do.
    void callBegins() { ++running_->others; }
    void callEnds() { --running_->others; }
    bool anyRuns() const { return running_->any(); }
    // When the step began that has been running longest; none runs: empty.
    std::optional<SteadyTime> oldestStep() const;

    // Its running calls are counted there instead of here, for who comes after the process; null: here.
    // Before the first call.
    void countCallsIn(RunningCalls* running) { running_ = running ? running : &here_; }

    // `attention` is called, on the thread of the call, whenever a probation ends or there is an accusation.
    // It throws nothing.
    void onAttention(std::function<void()> attention);
    // It has changed the process it runs in; a sentence without a subject. The first one counts.
    void accuse(std::string of);
    std::optional<std::string> accusation() const;
    // What it did is forgiven, and it is watched anew.
    void pardon();
    // True for the first calls, after which it is known what it does to its process. Counts them.
    bool isWatched() { return watches_left_ > 0 && watches_left_-- > 0; }
    // One of them told nothing.
    void watchOnceMore() { ++watches_left_; }

    // From now on the counts start over and are judged.
    void beginProbation();
    // Undecided until probation is over; Passed when there was none.
    Probation probation() const { return probation_; }
    // Complete sentence on why it failed.
    std::string complaint() const;

private:
    void weigh();
    void call() const;

    RunningCalls here_;
    RunningCalls* running_ = &here_;
    std::atomic<int64_t> calls_{0}, faults_{0}, slow_steps_{0};
    std::atomic<Probation> probation_{Probation::Passed};
    std::atomic<int> watches_left_{kWatchedCalls};
    mutable std::mutex mutex_;  // the rest
    std::shared_ptr<const std::function<void()>> attention_;
    std::optional<std::string> accusation_;
    Counts at_end_;
    std::string last_fault_;  // of a probation
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
