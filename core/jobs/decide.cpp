#include "core/jobs/decide.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/base/units.h"
#include "core/engine/conclusion.h"
#include "core/engine/outcome_json.h"

namespace stepper::jobs {
namespace {

constexpr milliseconds kBackoffBase{2'000}, kBackoffCap{60'000};
constexpr int kMaxDoublings = 5;
constexpr milliseconds kShortestOutagePause{1'000}, kLongestOutagePause{300'000};
// Jobs that wait for the same provider must not all come back in the same instant.
constexpr double kSpread = 0.1;
// One that has failed for so long may itself be what opens the circuits: others get so much time to show that
// somebody is answered, before it is the next one again to find out.
constexpr milliseconds kSuspectAfter{120'000}, kMakesWay{60'000};
// A cached answer that could not be refreshed is left alone for so long.
constexpr milliseconds kRefreshPause{30'000}, kHopelessRefreshPause{600'000};

constexpr const char* kStory = "providersAttempted";
// Of a job that waits only: how it ended says what became of them.
constexpr const char *kCalls = "callsThatCount", *kLastWords = "lastWords", *kFirstFailed = "failedAfterMs";
// Less is no time to try anything in.
constexpr milliseconds kNoTime{100};

bool tellsOfTries(const json::Value& meta) {
    const auto* attempts = json::find(meta, kStory);
    if (!attempts || !attempts->IsArray()) return false;
    return std::ranges::any_of(attempts->GetArray(), [](const json::Value& attempt) {
        const auto* number = json::find(attempt, "attemptNumber");
        return number && number->IsInt() && number->GetInt() > 0;
    });
}

// `meta`, with what was tried in an earlier run where nobody was asked in this one.
std::string withStory(std::string meta, const engine::Outcome& outcome, const store::Claimed& job) {
    const bool asked = std::ranges::any_of(outcome.attempts, [](const auto& a) { return a.number > 0; });
    if (asked || job.meta.empty()) return meta;
    const auto before = json::parse(job.meta);
    auto now = json::parse(meta);
    if (!before || !now || !tellsOfTries(*before)) return meta;
    now->RemoveMember(kStory);
    json::set(*now, kStory, json::Value(*json::find(*before, kStory), now->GetAllocator()),
              now->GetAllocator());
    return json::dump(*now);
}

std::string failureMeta(const engine::Failure& failure, const engine::Outcome& outcome,
                        const store::Claimed& job) {
    return withStory(engine::failureMeta(failure, outcome.attempts), outcome, job);
}

store::Ending answered(const engine::Outcome& outcome, const store::Claimed& job, const Policy& policy,
                       bool over) {
    store::Ending out;
    out.state = outcome.fallback ? store::JobState::Substituted : store::JobState::Done;
    out.result = outcome.result;
    out.meta = withStory(engine::answerMeta(outcome), outcome, job);
    // Neither is what the next client should be given.
    if (outcome.fallback || outcome.truncated) {
        out.refresh_pause = kRefreshPause;
        out.alone = outcome.fallback && over;
    } else {
        out.cache = policy.cache;
    }
    return out;
}

store::Ending failed(const engine::Failure& failure, const engine::Outcome& outcome,
                     const store::Claimed& job, bool over) {
    store::Ending out;
    out.state = store::JobState::Failed;
    out.meta = failureMeta(failure, outcome, job);
    // Nobody waits for a refresh, so it had no fallback; whoever follows it has.
    out.alone = job.background || (failure.retryable && over);
    if (!over) out.refresh_pause = failure.retryable ? kRefreshPause : kHopelessRefreshPause;
    return out;
}

// Each provider that has said its last word, how many calls have told of the request, and when the first run
// ended in which somebody was asked.
std::string withTried(const std::string& meta, const engine::Outcome& outcome, const store::Claimed& job,
                      const Policy& policy, milliseconds ended) {
    auto tried = triedBefore(job, policy);
    for (const auto& attempt : outcome.attempts) {
        tried.calls_left -= attempt.of_request;
        if (attempt.last_word) tried.last_words.push_back(attempt.provider);
    }
    const int calls = policy.max_calls - tried.calls_left;
    const bool asked = std::ranges::any_of(outcome.attempts, &engine::AttemptRecord::number);
    const bool failed_before = tried.first_failed != SteadyTime::max();
    if (failed_before) ended = std::chrono::duration_cast<milliseconds>(tried.first_failed - job.created);
    auto whole = json::parse(meta);
    if (!whole || (!asked && !failed_before)) return meta;
    auto& memory = whole->GetAllocator();
    json::Value names(rapidjson::kArrayType);
    for (const auto& name : tried.last_words) names.PushBack(json::text(name, memory), memory);
    json::set(*whole, kCalls, json::Value(calls), memory);
    json::set(*whole, kLastWords, std::move(names), memory);
    json::set(*whole, kFirstFailed, json::Value(ended.count()), memory);
    return json::dump(*whole);
}

engine::Failure waitedTooLong(engine::Failure failure, milliseconds max_wait) {
    failure.message = "The job was not done within " + formatDuration(max_wait) +
                      ", the longest that queue.max_wait lets it wait. " + failure.message;
    return failure;
}

}  // namespace

engine::Tried triedBefore(const store::Claimed& job, const Policy& policy) {
    engine::Tried out{{}, policy.max_calls};
    const auto meta = json::parse(job.meta.empty() ? "{}" : job.meta);
    if (!meta) return out;
    if (const auto* calls = json::find(*meta, kCalls); calls && calls->IsInt())
        out.calls_left -= calls->GetInt();
    if (const auto* after = json::find(*meta, kFirstFailed); after && after->IsInt64())
        out.first_failed = job.created + milliseconds{after->GetInt64()};
    if (const auto* names = json::find(*meta, kLastWords); names && names->IsArray())
        for (const auto& name : names->GetArray())
            if (name.IsString()) out.last_words.emplace_back(json::view(name));
    return out;
}

milliseconds backoff(int attempts, double chance) {
    const auto longest = std::min(kBackoffCap, kBackoffBase * (1 << std::min(attempts, kMaxDoublings)));
    return milliseconds(static_cast<int64_t>(chance * static_cast<double>(longest.count())));
}

milliseconds outagePause(milliseconds waited, double chance) {
    const auto longest = std::clamp(waited, kBackoffBase, kLongestOutagePause);
    return longest / 2 +
           milliseconds(static_cast<int64_t>(chance * static_cast<double>(longest.count() / 2)));
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
                const Moment& moment, double chance) {
    const bool out_of_time = moment.time_left && *moment.time_left <= kNoTime;
    const bool waited_enough = moment.waited >= policy.max_wait;
    const bool over = out_of_time || waited_enough;
    if (!outcome.failure) return answered(outcome, job, policy, over);
    const engine::Failure& failure = *outcome.failure;
    using Kind = engine::Failure::Kind;
    const bool nobody_asked = failure.kind == Kind::AllLimited || failure.kind == Kind::NoneReady ||
                              failure.kind == Kind::OutOfMeans;
    if (out_of_time && nobody_asked) return failed(engine::pastDeadline(failure), outcome, job, over);
    if (out_of_time || failure.spent || !failure.retryable) return failed(failure, outcome, job, over);

    // Not beyond the end of its time: then it is due to be ended.
    const auto within = [&](milliseconds delay) {
        const milliseconds left = std::max(policy.max_wait - moment.waited, milliseconds{0});
        return std::min({delay, left, moment.time_left.value_or(delay)});
    };
    // Nobody waits for a refresh: asking is not worth an outage.
    const bool outage = failure.outage && !job.background;
    const bool spared = nobody_asked || outage;
    if (!spared && job.attempts + 1 >= policy.max_attempts) return failed(failure, outcome, job, over);
    if (waited_enough) return failed(waitedTooLong(failure, policy.max_wait), outcome, job, over);
    const milliseconds hint = failure.retry_after.value_or(milliseconds{0});
    store::Postponement later;
    later.meta =
        withTried(failureMeta(failure, outcome, job), outcome, job, policy, moment.waited + outcome.total);
    later.attempt_failed = !spared;
    const auto share = [&](auto most) { return std::chrono::duration_cast<milliseconds>(most * chance); };
    const bool suspect =
        moment.waited >= kSuspectAfter && triedBefore(job, policy).first_failed != SteadyTime::max();
    const milliseconds way = suspect ? share(kMakesWay) : milliseconds{0};
    const auto spread = [&](milliseconds wait) { return wait + share(wait * kSpread) + way; };
    if (nobody_asked) {
        later.delay = within(spread(hint));
    } else if (outage) {
        const auto pause = std::max(outagePause(moment.waited, chance), hint) + way;
        const auto others = std::max(failure.others_ready.value_or(pause), kShortestOutagePause);
        later.delay = within(std::min(pause, spread(others)));
    } else {
        later.delay = within(std::max(backoff(job.attempts, chance), hint));
    }
    return later;
}

}  // namespace stepper::jobs
