// What the engine is asked and what it answers.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/plugin/abi/answer.h"
#include "core/prompt/question.h"
#include "core/telemetry/metrics.h"

namespace stepper::engine {

// The client's wishes, as far as they are the engine's business, and what it asks.
struct GenerateRequest : prompt::Wishes {
    std::shared_ptr<const prompt::Question> question;  // never null where it is served

    RequestLabels labels() const { return {question->preset(), question->responseMode()}; }
};

// One line of the story of what was tried.
struct AttemptRecord {
    std::string provider;
    int number = 1;  // 0 when it was not tried
    // Why not: rate_limited, circuit_open, busy, disabled; too_large with the error that says so; deadline
    // (too little time was left), not_yet (one before it is waited for), no_resources (this machine had not
    // what asking takes), with the error; answered_badly (in an earlier run of the job), no_calls_left (that
    // the job may cost).
    std::string skipped;
    std::optional<milliseconds> duration;
    std::optional<Error> error;
    std::string_view error_code;  // wire code of `error`
    // The error tells of the request or its answer; else the provider was down, limited or not to be reached.
    bool of_request = false;
    // Asking the same provider the same again would bring the same, or be paid for the same.
    bool last_word = false;
    std::optional<milliseconds> retry_after;
};

// Why nothing came of it, as the client is told.
struct Failure {
    enum class Kind {
        Stopped,     // no other provider may be asked: a refusal, or the request was cancelled
        AllLimited,  // every provider is out of quota, cooling or busy: nothing was wrong with the request
        NoneReady,   // nobody was asked: some are limited, the circuits of others are open
        OutOfMeans,  // nobody could be asked, for this server lacks descriptors, threads or memory to do so
        Exhausted,   // those that could be were tried, or the time was up
    };
    Kind kind = Kind::Exhausted;
    std::string_view code;
    int http_status = 500;
    std::string message;
    bool retryable = false;
    std::optional<milliseconds> retry_after;  // the soonest a provider could be ready, if not now
    // Of Exhausted: one that is down, limited or busy may answer this request yet.
    bool outage = false;
    std::optional<milliseconds> others_ready = {};  // likewise: the soonest one that was passed over could be
    // Of a job: nobody may be asked for it any more, whatever another request might be told.
    bool spent = false;
};

// What the earlier runs of a job came to.
struct Tried {
    std::vector<std::string> last_words;          // of these providers: they are not asked again
    int calls_left = 1;                           // that may tell of the request before the job is over
    SteadyTime first_failed = SteadyTime::max();  // when the first of them ended that asked somebody
};

// When a request that exhausted its providers is answered with the fallback, where configuration allows it.
enum class Fallback {
    Always,
    UnlessOutage,
    WhenHopeless,  // only if the same request stands no chance later either
    Never,
};

struct RunOptions {
    std::string_view id = {};  // of the request or the job, for the log
    Fallback fallback = Fallback::Always;
    bool wait = true;                 // for a provider to be ready; else the outcome tells when one may be
    milliseconds waited{0};           // already, in the queue: it counts for a provider's wait_up_to
    std::optional<Tried> tried = {};  // of a job
    // With `wait` false: it is not asked again for a request that only has to wait, or once the deadline has
    // passed.
    bool waiting_is_over = false, ends_at_deadline = false;
    std::function<void()> entered = {};    // called once, when a provider is first entered
    std::atomic<int>* progress = nullptr;  // told how far the walk is, 0..100
};

struct Outcome {
    std::optional<Failure> failure;  // empty: `result` is the answer or the fallback
    std::string result;              // JSON text, with the digits the model wrote
    std::string provider;            // "fallback" for the fallback, "" on failure
    bool fallback = false;
    bool validated = false;
    bool repaired = false;              // the model's text was no JSON as it stood
    std::vector<std::string> warnings;  // what is to be said beside the answer
    milliseconds total{0};
    std::optional<milliseconds> provider_time;
    std::vector<AttemptRecord> attempts;  // in the order of the plan
    // What the provider said of the answer; empty on failure and for the fallback.
    std::string model;
    std::string finish;      // plugin::Answer::finish
    bool truncated = false;  // cut off by its token limit: not all of what the model would have said
    plugin::Tokens usage;
    std::optional<double> cost;  // an estimate by the provider's configured price
};

}  // namespace stepper::engine
