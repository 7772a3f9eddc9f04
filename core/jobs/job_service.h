// Jobs as the endpoints and the process see them: accept, answer from the cache, run, wait, drain.
#pragma once
#include "core/cache/answer_cache.h"
#include "core/jobs/keeper.h"
#include "core/jobs/request_kind.h"
#include "core/jobs/runner.h"
#include "core/jobs/waiters.h"

namespace stepper::jobs {

// What a client asked for, checked.
struct Submission {
    RequestKind kind = RequestKind::Generate;
    std::string body;  // the client's JSON
    std::string tenant;
    std::string cache_key;   // "": neither read from nor written to the cache
    bool read_cache = true;  // false: make the answer anew
    int priority = store::kNormalPriority;
    std::string idempotency_key;  // "" for none; tells the tenants apart
    std::optional<milliseconds> time_limit;
    milliseconds start_in{0};  // not before; 0: at once
    bool only_repeat = false;  // nothing is made: it is only asked whether it is a repeat
};

struct SubmittedItem {
    std::string label;
    RequestKind kind = RequestKind::Generate;
    std::string body, cache_key;
    bool read_cache = true;
    std::optional<int> priority = {};             // none: the batch's
    std::optional<milliseconds> time_limit = {};  // likewise
};

struct BatchSubmission {
    std::string tenant, body;  // `body`: of the whole batch
    std::string meta;          // shown with it
    std::string idempotency_key;
    int concurrency = 1;
    int priority = store::kNormalPriority;
    std::optional<milliseconds> time_limit;
    milliseconds start_in{0};
    bool only_repeat = false;
    std::vector<SubmittedItem> items;
};

struct Submitted {
    enum class How { Queued, Coalesced, Repeated, Conflict, Hit, NotMade };
    How how;
    std::string job_id;             // empty on Hit, Conflict and NotMade
    std::optional<cache::Hit> hit;  // on Hit, or Repeated of one
};

// Which items of a batch are run again.
enum class WhichItems { Failed, FailedAndFallback, All };  // cancelled ones count as failed

struct Retried {
    enum class How {
        Queued,
        Before,  // `job_id` was made for that already
        NotFound,
        NotFinal,
        NothingMeant,  // a batch without such items
    };
    How how;
    std::string job_id = {};
    std::optional<std::pair<size_t, int>> batch = {};  // its items, its concurrency
};

// Safe from any thread.
class JobService final : private store::Listener {
public:
    JobService(RunnerDeps deps, const Clock& clock);
    ~JobService() override;

    // Begins to run jobs, unless queue.workers is 0; throws std::system_error when the system refuses it
    // threads. Before it, and after drain(), jobs are accepted and wait.
    void start();
    // Ends waiting, gives running jobs until the deadline, gives the others back to the store. Does not wait
    // for it, which drain() does.
    void beginDrain(SteadyTime deadline);
    void drain(SteadyTime deadline);

    // Durable when it returns without an error. An error is the store's: try again later.
    Result<Submitted> submit(const Submission& wanted);
    Result<Submitted> submitBatch(const BatchSubmission& wanted);
    // A new job from a final one's request; of a batch, a new one of those items. `once`: unless there is
    // one.
    Result<Retried> retry(std::string_view job_id, WhichItems which, bool once);

    // Whether answers of this kind are forgotten once a client has them.
    bool deliversOnce(RequestKind kind) const;
    // A client has the answer of this job.
    void delivered(RequestKind kind, const std::string& cache_key, std::string_view job_id);

    store::Store& store() { return deps_.store; }
    cache::AnswerCache& cache() { return cache_; }
    Waiters& waiters() { return waiters_; }

private:
    void jobChanged(const std::string& id) override { waiters_.notify(id); }
    void leaseRevoked(const std::string& id) override { scheduler_.revoke(id); }
    void workAvailable(store::Lane lane) override { scheduler_.workAvailable(lane); }
    void answerChanged(const std::string& key) override { cache_.invalidate(key); }

    Result<store::Enqueued> enqueue(store::NewJob job);
    Result<Retried> retryJob(const store::RunAgain& again);
    Result<Retried> retryBatch(const store::RunAgain& again, WhichItems which);
    std::optional<cache::Hit> lookUp(const Submission& wanted);
    void refresh(const Submission& wanted);

    RunnerDeps deps_;
    const Clock& clock_;
    cache::AnswerCache cache_;
    Waiters waiters_;
    Runner runner_;
    Scheduler scheduler_;
    Keeper keeper_;
};

}  // namespace stepper::jobs
