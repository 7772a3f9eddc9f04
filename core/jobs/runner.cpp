#include "core/jobs/runner.h"

#include <algorithm>

#include "core/engine/outcome_json.h"
#include "core/engine/outcome_story.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"

namespace stepper::jobs {
namespace {

using std::chrono::steady_clock;

// One run of a job. A chain of slow providers ends well within it; a plugin that never does must not hold a
// worker for good.
constexpr milliseconds kLongestRun{600'000};
constexpr milliseconds kFirstStoreRetry{100}, kLongestStoreRetry{5'000};
// A result that cannot be written for so long is given up; the job runs again when the store is back.
constexpr milliseconds kStorePatience{3'600'000};

engine::Outcome undecodable(const Error& why) {
    engine::Outcome out;
    out.failure = engine::Failure{engine::Failure::Kind::Stopped,
                                  "BAD_REQUEST",
                                  400,
                                  "The stored request cannot be read: " + why.message,
                                  false,
                                  std::nullopt};
    return out;
}

engine::Outcome outOfMemory() {
    engine::Outcome out;
    out.failure = engine::Failure{engine::Failure::Kind::Exhausted,
                                  "OVERLOADED",
                                  503,
                                  "This server had not the memory that running the job takes. Try again "
                                  "later.",
                                  true,
                                  std::nullopt};
    return out;
}

// Until it succeeds, the token fires, or patience ends. What the last try returned.
template <class Write>
Result<bool> persist(const std::string& job_id, CancelToken& cancel, Write write) {
    const SteadyTime give_up = steady_clock::now() + kStorePatience;
    Complaint trouble("a job's outcome cannot be stored");
    for (milliseconds pause = kFirstStoreRetry;; pause = std::min(pause * 2, kLongestStoreRetry)) {
        auto written = write();
        if (written) {
            trouble.over();
            return written;
        }
        trouble.tell("job " + job_id + ": " + written.error().message);
        if (cancel.check() != CancelReason::None || steady_clock::now() >= give_up) return written;
        cancel.sleepUntil(std::min(give_up, steady_clock::now() + pause));
    }
}

void tellIfLost(const std::string& job_id, const Result<bool>& written) {
    if (written && !*written)
        log::warn("a job's outcome was discarded: its lease was lost", {{"jobId", job_id}});
}

}  // namespace

void Runner::run(Running& task, CancelToken& cancel) {
    const auto config = deps_.snapshots.get();
    const Policy policy{config->config.queue.max_attempts,
                        config->config.queue.max_calls,
                        config->config.queue.max_wait,
                        {config->config.cache.fresh_for, config->config.cache.ttl},
                        config->config.fallback_jobs == config::JobFailure::Fail};
    // A run that was not told that the waiting is over could not fall back; the next one will be told.
    const milliseconds waited = momentOf(task.job).waited;
    const bool done =
        hasMemoryFor("a job", [&] { settle(task, ask(task, cancel, policy), policy, waited, cancel); });
    // Or one that takes too much would be run, and paid for, without end.
    if (!done) settle(task, outOfMemory(), policy, waited, cancel);
}

void Runner::settle(Running& task, const engine::Outcome& outcome, const Policy& policy, milliseconds waited,
                    CancelToken& cancel) {
    const CancelReason stopped = cancel.check();
    if (stopped == CancelReason::Requested) return;
    if (stopped == CancelReason::Draining && outcome.failure) return bringBack(task.job.lease, {}, cancel);
    const Moment moment{waited, momentOf(task.job).time_left};
    const Decision decision = decide(outcome, task.job, policy, moment, chance_());
    const auto* ending = std::get_if<store::Ending>(&decision);
    // A refresh fails quietly, unless a client has joined it meanwhile: then it is run again as that
    // client's.
    if (ending && ending->state == store::JobState::Failed && task.job.background &&
        isWanted(task.job.lease.id))
        return bringBack(task.job.lease, {}, cancel);
    if (outcome.failure) tellOfNoAnswer(task, outcome, ending != nullptr);
    if (ending)
        end(task.job.lease, *ending, engine::statusOf(outcome), cancel);
    else
        bringBack(task.job.lease, std::get<store::Postponement>(decision), cancel);
}

// One that waits has not ended: who wants to know why sees it in its story.
void Runner::tellOfNoAnswer(const Running& task, const engine::Outcome& outcome, bool final) {
    int64_t times = 0;
    if (final && !task.job.background) {
        std::lock_guard lock(mutex_);
        times = failures_.happened(outcome.failure->code, clock_.now());
    }
    const auto level = times > 0 ? log::Level::Warn : log::Level::Debug;
    if (!log::enabled(level)) return;
    log::write(level, final ? "job failed" : "job waits",
               {{"jobId", task.job.lease.id},
                {"errorCode", outcome.failure->code},
                {"reason", outcome.failure->message},
                {"story", engine::storyOf(outcome.attempts)},
                {"attempts", task.job.attempts},
                {"times", std::max<int64_t>(times, 1)}});
}

Moment Runner::momentOf(const store::Claimed& job) const {
    const auto waited = std::chrono::duration_cast<milliseconds>(clock_.now() - job.created);
    Moment moment{std::max(waited, milliseconds{0}), {}};
    if (job.deadline) moment.time_left = std::chrono::ceil<milliseconds>(*job.deadline - clock_.now());
    return moment;
}

engine::Outcome Runner::ask(Running& task, CancelToken& cancel, const Policy& policy) {
    const store::Claimed& job = task.job;
    const auto request = deps_.decode(job.kind, job.request);
    if (!request) return undecodable(request.error());
    const Moment moment = momentOf(job);
    const milliseconds time = std::min(kLongestRun, moment.time_left.value_or(kLongestRun));
    const bool waited_enough = moment.waited >= policy.max_wait;
    const bool over = time.count() <= 0 || waited_enough;
    const bool last = job.attempts + 1 >= policy.max_attempts;
    engine::RunOptions options;
    options.id = job.lease.id;
    options.progress = &task.progress;
    options.wait = false;
    options.waited = moment.waited;
    options.tried = triedBefore(job, policy);
    options.waiting_is_over = waited_enough;
    options.ends_at_deadline = moment.time_left && *moment.time_left <= kLongestRun;
    options.entered = [&task] { task.begun(); };
    options.fallback = job.background || policy.failures_fail ? engine::Fallback::Never
                       : over                                 ? engine::Fallback::Always
                       : last                                 ? engine::Fallback::UnlessOutage
                                                              : engine::Fallback::WhenHopeless;
    return deps_.engine.generate(*request, clock_.now() + time, cancel, options);
}

bool Runner::isWanted(const std::string& job_id) {
    const auto job = deps_.store.job(job_id);
    return job && *job && (*job)->wanted_by > 0;
}

void Runner::end(const store::Lease& lease, const store::Ending& ending, std::string_view how,
                 CancelToken& cancel) {
    const auto written = persist(lease.id, cancel, [&] { return deps_.store.finish(lease, ending); });
    tellIfLost(lease.id, written);
    if (written && *written) deps_.metrics.jobEnded(how);
}

void Runner::bringBack(const store::Lease& lease, const store::Postponement& later, CancelToken& cancel) {
    tellIfLost(lease.id, persist(lease.id, cancel, [&] { return deps_.store.postpone(lease, later); }));
}

}  // namespace stepper::jobs
