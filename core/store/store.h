// Jobs and answers that outlive the process: the one interface every store implements with the same meaning,
// proven by one conformance suite (tests/unit/store).
//
// What a store promises:
// - A call that returned without an error is durable (for notes see putNotes()); one that returned an error
//   wrote nothing, unless the message says that the outcome is unknown (then a repeat with the same ids is
//   safe).
// - Each call is atomic: others see all of it or nothing.
// - A final job (Done, Substituted, Failed, Cancelled) never changes any more, except that it is noted which
// job was
//   made to run it again, and that it is purged as a whole.
// - Every write to a leased job carries the fence of its lease; with an older fence it is refused. The fence
//   of a job grows with every lease and whenever one is taken away.
// - At most one live job flies under a cache key. Others for the same answer follow it, each with its own
//   time limit, and go on without it when it ends for a reason that is not theirs.
// - Durations hold whatever is done to the wall clock, by the store's own time (store_time.h).
// `request`, `result` and `meta` are the caller's bytes; a store never looks into them. Moments for people
// are wall time in milliseconds, and move with the wall clock when that is set; those that the process works
// with are steady. Errors: any error means that the store cannot do it now (full, locked, failing), with what
// to do about it.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace stepper::store {

// Which workers take a job. Suspects are jobs whose workers died repeatedly; they run one at a time, so that
// a job that kills the process cannot be mistaken for those that merely ran beside it.
enum class Lane { Live = 0, Batch = 1, Suspect = 2 };
// All there are, in the order of their numbers: whoever keeps something for each goes by this list.
inline constexpr std::array kLanes{Lane::Live, Lane::Batch, Lane::Suspect};
std::string_view name(Lane lane);  // as metrics have it

// Something for each lane.
template <class T>
class ByLane {
public:
    T& operator[](Lane lane) { return all_[static_cast<size_t>(lane)]; }
    const T& operator[](Lane lane) const { return all_[static_cast<size_t>(lane)]; }
    auto begin() { return all_.begin(); }
    auto end() { return all_.end(); }
    auto begin() const { return all_.begin(); }
    auto end() const { return all_.end(); }

private:
    std::array<T, kLanes.size()> all_{};
};

enum class JobState {
    Ready = 0,      // waits for a worker
    Delayed = 1,    // becomes ready at run_at
    Leased = 2,     // a worker has it
    Held = 3,       // an item its batch has no room for yet
    Following = 4,  // its answer is being made by another live job
    Open = 5,       // a batch whose items are not all final
    Scheduled = 6,  // a job or a batch that takes part from run_at on, as if it came then
    Done = 10,
    Failed = 11,
    Cancelled = 12,
    Substituted = 13,  // done, with a fallback in place of an answer
};
inline bool isFinal(JobState s) { return s >= JobState::Done; }
// It has a result.
inline bool isDone(JobState s) { return s == JobState::Done || s == JobState::Substituted; }
// "ready", "delayed", ...
std::string_view name(JobState s);

// Lower runs first.
inline constexpr int kNormalPriority = 5, kBackgroundPriority = 9;

// Of a job that runs a final one again: that one.
struct RunAgain {
    std::string of;     // "": none
    bool once = false;  // unless some job was made for that already: then this one is a repeat of it
};

// A job as it comes in.
struct NewJob {
    std::string id;    // unique; a second job with a known id is a repeat of the first
    std::string kind;  // what `request` is, for whoever runs it
    std::string request;
    std::string tenant;                      // may be empty
    int priority = kNormalPriority;          // 0..9
    std::string cache_key;                   // "": its answer is not cached and it flies alone
    bool accept_cached = true;               // a fresh answer under cache_key makes the job unnecessary
    bool background = false;                 // nobody waits for it: a refresh
    std::optional<milliseconds> time_limit;  // from its start; for whoever runs it to keep
    milliseconds start_in{0};     // until then it is Scheduled: it neither flies nor is answered from
                                  // the cache, and no time of it counts. 0: at once
    std::string idempotency_key;  // "" for none; already scoped to the tenant
    std::string request_digest;   // compared with that of the key's first use
    bool only_repeat = false;     // it is not made, only asked whether it would be a repeat
    RunAgain again = {};
};

// An answer somebody may be given instead of a job.
struct CachedAnswer {
    std::string job_id;  // the job that made it
    std::string kind;    // of that job
    std::string result, meta;
    SteadyTime made_at, fresh_until, expires;
    SteadyTime refresh_after{};  // not to be refreshed before, because the last refresh failed
};

struct Enqueued {
    enum class How {
        Created,
        Coalesced,  // a live job already makes this answer. Without time limits one more waits for it; else
                    // a new job follows it
        Repeated,   // the idempotency key or the id is known: that job, or the answer that was there then; or
                    // the job that runs the same one again
        Cached,     // `answer` is fresh; an idempotency key is kept with it as long as a final job
        Conflict,   // the idempotency key was used with another request
        NotMade,    // `only_repeat`, and it is none
    };
    How how;
    std::string id;                      // of the job; empty when there is none
    std::optional<CachedAnswer> answer;  // when Cached, or Repeated of that
};

struct NewItem {
    std::string id;     // of its job
    std::string label;  // the client's id for it
    std::string kind, request;
    std::string cache_key;
    bool accept_cached = true;
    std::optional<int> priority = {};             // none: the batch's
    std::optional<milliseconds> time_limit = {};  // likewise
};

// Items are jobs of their own; at most `concurrency` of them are ready or leased at a time, by priority.
struct NewBatch {
    std::string id, tenant;
    std::string meta;  // what its Job::meta is from the beginning
    int priority = kNormalPriority;
    int concurrency = 1;
    std::optional<milliseconds> time_limit;  // of each item, from the start
    milliseconds start_in{0};                // likewise; 0: at once
    std::string idempotency_key, request_digest;
    bool only_repeat = false;  // as of a job
    std::vector<NewItem> items;
    RunAgain again = {};
};

// A batch as it came in, and what became of each of its items.
struct StoredBatch {
    NewBatch batch;
    std::vector<JobState> states;
};

// The right to write to a leased job.
struct Lease {
    std::string id;
    int64_t fence = 0;
};

struct Claimed {
    Lease lease;
    std::string kind, request, tenant, cache_key;
    std::string meta;  // what happened so far
    bool background = false;
    int attempts = 0;                    // failed ones so far
    SteadyTime created;                  // or, of one that was scheduled, when it started
    std::optional<SteadyTime> deadline;  // the end of its time limit; may have passed
};

struct Claims {
    std::vector<Claimed> jobs;
    std::optional<milliseconds> next_due;  // until there may be another without anybody's doing
};

struct Beat {
    Lease lease;
    int progress = 0;  // 0..100
};

struct CacheTimes {
    milliseconds fresh_for, ttl;
};

// How a leased job ends.
struct Ending {
    JobState state = JobState::Done;  // Done, Substituted or Failed
    std::string result;               // unless Failed
    std::string meta;
    std::optional<CacheTimes> cache;  // Done: the result is a real answer, to be kept under the cache key
    milliseconds refresh_pause{0};    // without `cache`: how long not to refresh an answer that is there
    bool alone = false;               // for a reason that is only this job's: its followers go on without it
};

struct Postponement {
    milliseconds delay{0};  // 0: ready at once, in its old place
    bool attempt_failed = false;
    std::string meta;  // what happened so far, "" to keep what is there
};

// A job as it is shown.
struct Job {
    std::string id, kind, tenant, cache_key;
    JobState state = JobState::Ready;
    Lane lane = Lane::Live;
    int priority = kNormalPriority;
    int64_t version = 0;  // grows with every change a client could see
    int64_t fence = 0;
    int progress = 0;  // 0..100; of a batch: 1 once an item of it was leased
    int attempts = 0, crashes = 0;
    int wanted_by = 1;  // clients that were given its id and have not dropped it
    WallTime created, updated;
    std::optional<WallTime> run_at, finished;
    std::string result, meta;             // empty in lists
    std::string retried_as;               // the job that was made last to run it again
    int64_t place = 0;                    // in the order of lists; the newest has the highest
    int total = 0, done = 0, failed = 0;  // of a batch: its items; `failed` counts the cancelled, too
    int busy = 0;                         // of a batch: items ready, delayed or leased
    bool isBatch() const { return total > 0; }
    // Of an Open batch: one of its items was begun.
    bool isAtWork() const { return done + failed > 0 || progress > 0; }
};

struct BatchItem {
    std::string label;
    JobState state = JobState::Held;
    std::string result, meta;
};

// A small text that the process keeps beside its jobs: what was used of quotas, the usage of a day.
struct Note {
    std::string name, text;
};

struct ListFilter {
    std::vector<JobState> states;  // empty: all
    int limit = 50;
    std::optional<bool> at_work = {};    // of Open batches: only those of which an item was begun, or not
    std::optional<int64_t> before = {};  // only those whose place is lower
};

// Final jobs that somebody wanted and that nothing was made to run again for.
struct RetryFilter {
    std::vector<JobState> states;  // final ones; with Failed also batches of which an item has no answer
    std::optional<milliseconds> within = {};  // that ended no longer ago
    std::optional<std::string> tenant = {};
    int limit = 50;
    milliseconds not_within{0};  // nor that ended more recently
};

// Whether a final job counts as failed, of which somebody may want to know, or have it run again, later.
bool keepsLonger(const Job& job);

// How long final jobs stay: those that failed, with the batches of which an item has no answer, and the
// others.
struct Retention {
    Retention(milliseconds all) : ended(all), failed(all) {}
    Retention(milliseconds of_others, milliseconds of_failed) : ended(of_others), failed(of_failed) {}
    bool operator==(const Retention&) const = default;
    milliseconds ended, failed;
};

struct Dropped {
    enum class How {
        NotFound,
        StillWanted,  // by `wanted_by` others; the job goes on, or stays
        Cancelled,    // it was live
        Purged,       // it was final
    };
    How how;
    int wanted_by = 0;
};

struct LaneStats {
    int64_t ready = 0, delayed = 0, leased = 0;
    milliseconds oldest_ready{0};
};

struct Stats {
    ByLane<LaneStats> lanes;
    int64_t held = 0, following = 0;
};

struct Health {
    enum class Status {
        Ok,
        Degraded,  // writes fail for now and are tried again
        Failed,    // writes are over until somebody acts
    };
    Status status = Status::Ok;
    std::string reason;  // complete sentence, empty when Ok
};

// Told after the change is durable, on a thread of the store: must be quick and must not call the store.
class Listener {
public:
    virtual ~Listener() = default;
    virtual void jobChanged(const std::string& id) = 0;    // somebody may wait for it
    virtual void leaseRevoked(const std::string& id) = 0;  // its worker should stop
    virtual void workAvailable(Lane lane) = 0;             // a job of it became ready, or waits for a moment
    virtual void answerChanged(const std::string& cache_key) = 0;
};

// What becomes of jobs whose worker died without a word.
struct CrashPolicy {
    int suspect_after = 2;    // crashes, then it moves to the Suspect lane
    int fail_after = 5;       // crashes, then it is Failed
    std::string failed_meta;  // its meta then
};

// Safe from any thread. Calls that write block until the write is durable, some seconds at most.
class Store {
public:
    virtual ~Store() = default;

    // Before anything else; null for none. The listener must outlive the store or be taken back.
    virtual void setListener(Listener* listener) = 0;

    virtual Result<Enqueued> enqueue(const NewJob& job) = 0;
    // Created, Repeated or Conflict. Items with a fresh answer are final at once; those whose answer a live
    // job is making follow it.
    virtual Result<Enqueued> enqueueBatch(const NewBatch& batch) = 0;

    // At most `max` jobs of the lane: by priority, then so that the tenants that wait get equal shares (see
    // turns.h), then the oldest. Whoever did not wait for the answer has no lease.
    virtual Result<Claims> claim(Lane lane, int max, milliseconds lease) = 0;
    // At most `max` jobs of any lane that wait although their time limit has passed, or that came (or
    // started) `max_wait` ago or earlier and follow no other: to be ended, whoever's turn it is.
    virtual Result<Claims> claimOverdue(int max, milliseconds lease, milliseconds max_wait) = 0;
    // Extends the leases; returns the ids of those that are no longer held.
    virtual Result<std::vector<std::string>> heartbeat(std::span<const Beat> beats, milliseconds lease) = 0;
    // False: the lease was lost and nothing was written. A job's followers end as it does, unless `alone`.
    virtual Result<bool> finish(const Lease& lease, const Ending& ending) = 0;
    // Gives the lease back. A worker that says so is alive: the job's crashes are forgotten.
    virtual Result<bool> postpone(const Lease& lease, const Postponement& p) = 0;
    // Jobs whose lease ran out become ready again, or suspects, or Failed. How many there were.
    virtual Result<int> reap() = 0;

    // One client no longer wants the job; the last one (or `force`) cancels it or, when final, purges it. A
    // batch goes with its items.
    virtual Result<Dropped> drop(std::string_view id, bool force) = 0;

    virtual Result<std::optional<Job>> job(std::string_view id) = 0;
    // The stored request, its kind and its time limit, to run it again.
    virtual Result<std::optional<NewJob>> request(std::string_view id) = 0;
    // Of a batch, to run items of it again; their ids are those they have.
    virtual Result<std::optional<StoredBatch>> batch(std::string_view id) = 0;
    // Their ids, those that ended first before the others.
    virtual Result<std::vector<std::string>> retryable(const RetryFilter& filter) = 0;
    // Of a batch, in their order.
    virtual Result<std::vector<BatchItem>> items(std::string_view batch_id) = 0;
    // Newest first; without items of batches.
    virtual Result<std::vector<Job>> list(const ListFilter& filter) = 0;
    virtual Result<Stats> stats() = 0;

    // Unexpired only.
    virtual Result<std::optional<CachedAnswer>> cached(std::string_view key) = 0;
    // `made_by`: only if it is still that job's; "" for any. Whether there was one.
    virtual Result<bool> forget(std::string_view key, std::string_view made_by) = 0;

    // All of them or none, by name; an empty text removes the note. Committed without a sync: a kill loses
    // nothing, a loss of power may lose the last moments.
    virtual Result<void> putNotes(std::span<const Note> notes) = 0;
    // Those whose names begin with the prefix, by name: at most so many, from that name on.
    virtual Result<std::vector<Note>> notes(std::string_view prefix, std::string_view from, size_t most) = 0;
    Result<std::vector<Note>> notes(std::string_view prefix) { return notes(prefix, prefix, SIZE_MAX); }

    // The store's own time, for moments that notes hold: it goes on across restarts and cannot be set.
    virtual milliseconds time() const = 0;

    // Removes final jobs older than `retention` and expired answers, a bounded number; whether more are left.
    virtual Result<bool> sweep(Retention retention) = 0;

    virtual Health health() const = 0;
};

}  // namespace stepper::store
