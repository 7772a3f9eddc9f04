#include "core/plugin/conduct.h"

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

Verdict judge(int64_t calls, int64_t faults, int64_t slow_steps) {
    if (faults >= kProbationFaults || slow_steps >= kProbationFaults) return Verdict::Failed;
    return calls >= kProbationCalls ? Verdict::Passed : Verdict::Undecided;
}

void Conduct::callEnded(bool at_fault) {
    if (at_fault) ++faults_;
    ++calls_;
    if (verdict_ == Verdict::Undecided) weigh();
}

void Conduct::slowStep() {
    ++slow_steps_;
    if (verdict_ == Verdict::Undecided) weigh();
}

Conduct::Counts Conduct::counts() const { return {calls_, faults_, slow_steps_}; }

void Conduct::beginProbation(std::function<void()> decided) {
    std::lock_guard lock(mutex_);
    calls_ = faults_ = slow_steps_ = 0;
    decided_ = std::move(decided);
    verdict_ = Verdict::Undecided;
}

void Conduct::weigh() {
    std::function<void()> decided;
    {
        std::lock_guard lock(mutex_);
        if (verdict_ != Verdict::Undecided) return;
        const Counts now = counts();
        const Verdict verdict = judge(now.calls, now.faults, now.slow_steps);
        if (verdict == Verdict::Undecided) return;
        at_verdict_ = now;
        verdict_ = verdict;
        decided.swap(decided_);
    }
    if (decided) decided();
}

std::string Conduct::complaint() const {
    std::lock_guard lock(mutex_);
    const Counts& c = at_verdict_;
    const bool slow = c.faults < kProbationFaults;
    return "of its first " + std::to_string(c.calls) + " calls, " +
           (slow ? std::to_string(c.slow_steps) + " took more than 100 ms in one step"
                 : std::to_string(c.faults) + " failed by the plugin's own fault");
}

StepTimer::StepTimer(Conduct& conduct)
    : conduct_(conduct),
      probation_(conduct.verdict() == Verdict::Undecided),
      began_(std::chrono::steady_clock::now()) {
    if (!probation_) return;
    const ThreadUse use = threadUse();
    cpu_us_ = use.cpu_us;
    blocked_ = use.blocked;
}

StepTimer::~StepTimer() {
    if (std::chrono::steady_clock::now() - began_ < kSlowStep) return;
    if (probation_) {
        const ThreadUse use = threadUse();
        const bool computed = use.cpu_us - cpu_us_ > milliseconds{kSlowStep} / std::chrono::microseconds{2};
        if (!computed && use.blocked == blocked_) return;
    }
    conduct_.slowStep();
}

}  // namespace stepper::plugin
