#include "core/plugin/proving/conduct.h"

#include <thread>

#include <sys/resource.h>

namespace stepper::plugin {
namespace {

struct ThreadUse {
    int64_t cpu_us, blocked;
};

ThreadUse threadUse() {
    rusage use{};
    ::getrusage(RUSAGE_THREAD, &use);
    const auto us = [](const timeval& t) { return int64_t{t.tv_sec} * 1'000'000 + t.tv_usec; };
    return {us(use.ru_utime) + us(use.ru_stime), use.ru_nvcsw};
}

}  // namespace

Probation judge(int64_t calls, int64_t faults, int64_t slow_steps) {
    if (faults >= kProbationFaults || slow_steps >= kProbationFaults) return Probation::Failed;
    return calls >= kProbationCalls ? Probation::Passed : Probation::Undecided;
}

void Conduct::callEnded(std::optional<std::string> fault) {
    if (fault && probation_ == Probation::Undecided) {
        std::lock_guard lock(mutex_);
        last_fault_ = std::move(*fault);
    }
    if (fault) ++faults_;
    ++calls_;
    if (probation_ == Probation::Undecided) weigh();
}

void Conduct::slowStep() {
    ++slow_steps_;
    if (probation_ == Probation::Undecided) weigh();
}

// Threads begin at different places, so that they seldom meet.
size_t Conduct::stepBegins(SteadyTime now) {
    auto& steps = running_->steps;
    const size_t first = std::hash<std::thread::id>{}(std::this_thread::get_id());
    for (size_t i = 0; i < steps.size(); ++i) {
        const size_t slot = (first + i) % steps.size();
        int64_t none = 0;
        if (steps[slot].compare_exchange_strong(none, now.time_since_epoch().count())) return slot;
    }
    callBegins();
    return steps.size();
}

void Conduct::stepEnded(size_t slot) {
    if (slot == running_->steps.size()) return callEnds();
    running_->steps[slot] = 0;
}

std::optional<SteadyTime> Conduct::oldestStep() const {
    std::optional<SteadyTime> oldest;
    for (const auto& began : running_->steps) {
        const int64_t ticks = began;
        if (ticks == 0) continue;
        const SteadyTime at{SteadyTime::duration{ticks}};
        if (!oldest || at < *oldest) oldest = at;
    }
    return oldest;
}

Conduct::Counts Conduct::counts() const { return {calls_, faults_, slow_steps_}; }

void Conduct::onAttention(std::function<void()> attention) {
    auto shared = std::make_shared<const std::function<void()>>(std::move(attention));
    std::lock_guard lock(mutex_);
    attention_ = std::move(shared);
}

void Conduct::call() const {
    std::shared_ptr<const std::function<void()>> attention;
    {
        std::lock_guard lock(mutex_);
        attention = attention_;
    }
    if (attention && *attention) (*attention)();
}

void Conduct::accuse(std::string of) {
    {
        std::lock_guard lock(mutex_);
        if (accusation_) return;
        accusation_ = std::move(of);
    }
    call();
}

std::optional<std::string> Conduct::accusation() const {
    std::lock_guard lock(mutex_);
    return accusation_;
}

void Conduct::pardon() {
    std::lock_guard lock(mutex_);
    accusation_.reset();
    watches_left_ = kWatchedCalls;
}

void Conduct::beginProbation() {
    std::lock_guard lock(mutex_);
    calls_ = faults_ = slow_steps_ = 0;
    probation_ = Probation::Undecided;
}

void Conduct::weigh() {
    {
        std::lock_guard lock(mutex_);
        if (probation_ != Probation::Undecided) return;
        const Counts now = counts();
        const Probation outcome = judge(now.calls, now.faults, now.slow_steps);
        if (outcome == Probation::Undecided) return;
        at_end_ = now;
        probation_ = outcome;
    }
    call();
}

std::string Conduct::complaint() const {
    std::lock_guard lock(mutex_);
    const Counts& c = at_end_;
    const bool slow = c.faults < kProbationFaults;
    return "of its first " + std::to_string(c.calls) + " calls, " +
           (slow ? std::to_string(c.slow_steps) + " took more than 100 ms in one step"
                 : std::to_string(c.faults) +
                       " failed by the plugin's own fault, the last one so: " + last_fault_);
}

StepTimer::StepTimer(Conduct& conduct)
    : conduct_(conduct),
      probation_(conduct.probation() == Probation::Undecided),
      began_(std::chrono::steady_clock::now()),
      slot_(conduct.stepBegins(began_)) {
    if (!probation_) return;
    const ThreadUse use = threadUse();
    cpu_us_ = use.cpu_us;
    blocked_ = use.blocked;
}

StepTimer::~StepTimer() {
    conduct_.stepEnded(slot_);
    if (std::chrono::steady_clock::now() - began_ < kSlowStep) return;
    if (probation_) {
        const ThreadUse use = threadUse();
        const bool computed = use.cpu_us - cpu_us_ > milliseconds{kSlowStep} / std::chrono::microseconds{2};
        if (!computed && use.blocked == blocked_) return;
    }
    conduct_.slowStep();
}

}  // namespace stepper::plugin
