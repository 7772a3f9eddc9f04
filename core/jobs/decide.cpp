#include "core/jobs/decide.h"

#include <algorithm>

#include "core/engine/outcome_json.h"

namespace stepper::jobs {
namespace {

constexpr milliseconds kBackoffBase{2'000}, kBackoffCap{60'000};
constexpr int kMaxDoublings = 5;
// Jobs that wait for the same provider must not all come back in the same instant.
constexpr double kSpread = 0.1;
// A cached answer that could not be refreshed is left alone for so long.
constexpr milliseconds kRefreshPause{30'000}, kHopelessRefreshPause{600'000};

store::Ending answered(const engine::Outcome& outcome, const Policy& policy) {
    store::Ending out;
    out.state = store::JobState::Done;
    out.result = outcome.result;
    out.meta = engine::answerMeta(outcome);
    if (outcome.fallback) {
        out.refresh_pause = kRefreshPause;
    } else {
        out.cache = policy.cache;
    }
    return out;
}

store::Ending failed(const engine::Outcome& outcome) {
    store::Ending out;
    out.state = store::JobState::Failed;
    out.meta = engine::failureMeta(*outcome.failure, outcome.attempts);
    out.refresh_pause = outcome.failure->retryable ? kRefreshPause : kHopelessRefreshPause;
    return out;
}

// Not beyond the job's own time limit: then it is due to be ended.
milliseconds withinLimit(milliseconds delay, const store::Claimed& job) {
    return job.time_left ? std::clamp(*job.time_left, milliseconds{0}, delay) : delay;
}

}  // namespace

milliseconds backoff(int attempts, double chance) {
    const auto longest = std::min(kBackoffCap, kBackoffBase * (1 << std::min(attempts, kMaxDoublings)));
    return milliseconds(static_cast<int64_t>(chance * static_cast<double>(longest.count())));
}

store::CrashPolicy crashPolicy() {
    store::CrashPolicy out;
    const engine::Failure poison{engine::Failure::Kind::Stopped,
                                 "UNKNOWN",
                                 500,
                                 "The server ended " + std::to_string(out.fail_after) +
                                     " times while it ran this job, which is not run again. Look at what is "
                                     "special about the request, and "
                                     "at the plugins that served it.",
                                 false,
                                 std::nullopt};
    out.failed_meta = engine::failureMeta(poison, {});
    return out;
}

Decision decide(const engine::Outcome& outcome, const store::Claimed& job, const Policy& policy,
                double chance) {
    if (!outcome.failure) return answered(outcome, policy);
    const engine::Failure& failure = *outcome.failure;
    if (job.time_left && job.time_left->count() <= 0) return failed(outcome);
    const milliseconds hint = failure.retry_after.value_or(milliseconds{0});
    store::Postponement later;
    later.meta = engine::failureMeta(failure, outcome.attempts);
    using Kind = engine::Failure::Kind;
    if (failure.kind == Kind::AllLimited || failure.kind == Kind::NoneReady) {
        const auto spread = static_cast<int64_t>(static_cast<double>(hint.count()) * kSpread * chance);
        later.delay = withinLimit(hint + milliseconds{spread}, job);
        return later;
    }
    if (!failure.retryable || job.attempts + 1 >= policy.max_attempts) return failed(outcome);
    later.attempt_failed = true;
    later.delay = withinLimit(std::max(backoff(job.attempts, chance), hint), job);
    return later;
}

}  // namespace stepper::jobs
