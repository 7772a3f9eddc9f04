// The jobs of a MemoryStore and the rules by which they change. A job is in exactly the queues its state
// says; every change goes through change(), which keeps the queues, the counts and its batch's `busy` right.
// Owned by the store and used under its lock.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/store/store.h"
#include "core/store/store_time.h"
#include "core/store/turns.h"

namespace stepper::store {

struct MemoryJob;
using JobsByAge = std::map<int64_t, MemoryJob*>;

struct MemoryJob {
    Job shown;        // its moments by the store's time
    int64_t age = 0;  // order of arrival; unique
    std::string request;
    bool background = false;
    Lane home = Lane::Live;  // its lane when it is no suspect
    WallTime since{};        // when it came or, scheduled, starts
    bool accept_cached = true;
    std::optional<milliseconds> time_limit;
    std::optional<SteadyTime> deadline;  // of its time limit
    SteadyTime lease_until{};            // while Leased
    std::vector<std::string> idempotency_keys;

    // Of an item.
    MemoryJob* batch = nullptr;
    std::string label;

    // Of a batch.
    int concurrency = 0;
    JobsByAge items;
    std::map<std::pair<int, int64_t>, MemoryJob*> held;  // by priority, age
};

// What one call changed, for the listener.
struct Changes {
    std::set<std::string> jobs, revoked, answers;
    ByLane<bool> work;

    void tell(Listener& listener) const;
};

class MemoryJobs {
public:
    MemoryJobs(const Clock& clock, const StoreTime& time, CrashPolicy crashes, Changes& changes);
    MemoryJobs(const MemoryJobs&) = delete;
    MemoryJobs& operator=(const MemoryJobs&) = delete;

    // Null when there is none.
    MemoryJob* find(std::string_view id);
    MemoryJob* flight(const std::string& cache_key);  // the live job under that key
    MemoryJob* leased(const Lease& lease);
    MemoryJob* nextReady(Lane lane);  // and its tenant's turn is taken
    // Of those that are kept longer, or of the others.
    MemoryJob* oldestFinal(bool kept_longer);
    std::vector<std::string> retryable(const RetryFilter& filter) const;
    // Those past their time limits first.
    std::vector<MemoryJob*> overdue(int max, milliseconds max_wait) const;
    std::optional<milliseconds> nextOverdue(milliseconds max_wait) const;
    struct KnownRequest {
        std::string digest;
        MemoryJob* job;  // null: `answer` was there
        std::optional<CachedAnswer> answer = {};
        WallTime used = {};  // by the store's time
    };
    const KnownRequest* known(const std::string& idempotency_key) const;

    // The job takes its place, and its flight if it is live and follows none. An item is added after its
    // batch.
    MemoryJob& add(MemoryJob job);
    // Until the job is purged. No key: nothing.
    void remember(MemoryJob& job, const std::string& idempotency_key, const std::string& digest);
    // Until forgetAnswers() of later uses.
    void remember(const CachedAnswer& answer, const std::string& idempotency_key, const std::string& digest);
    // At most so many. How many there were.
    int forgetAnswers(WallTime used_before, int max);
    void makeDueReady(Lane lane);
    // The first that is to start by now; null when there is none.
    MemoryJob* nextToStart(Lane lane);
    // Of a job that was scheduled, or an item of such a batch: it leads or follows whoever flies under its
    // key.
    void start(MemoryJob& job);
    // Of a scheduled batch all of whose items were started or have ended.
    void open(MemoryJob& batch);
    void lease(MemoryJob& job, milliseconds lease);
    void extend(MemoryJob& job, milliseconds lease);
    void setProgress(MemoryJob& job, int progress);
    void postpone(MemoryJob& job, const Postponement& p);
    // One more client waits for it.
    void join(MemoryJob& job, int priority);
    // Somebody waits for its answer: it is at least as urgent from now on, unless a worker has it.
    void urge(MemoryJob& job, int priority);
    // Its followers end with it; those of a job that is cancelled or ends `alone` go on without it.
    void end(MemoryJob& job, JobState state, const std::string& result, const std::string& meta,
             bool alone = false);
    void cancel(MemoryJob& job);
    void cancelBatch(MemoryJob& batch);
    int reap();
    // A batch goes with its items, except those that others want.
    void purge(MemoryJob& job);
    // Lets held items in while there is room; a batch without live items is Done.
    void advance(MemoryJob& batch);

    Stats stats() const;
    std::optional<milliseconds> nextDue(Lane lane) const;
    const JobsByAge& listed() const { return listed_; }  // all but the items of batches
    SteadyTime createdAt(const MemoryJob& job) const;
    WallTime now() const;  // by the store's time

private:
    using Moment = std::pair<WallTime, int64_t>;
    struct LaneQueue {
        std::map<std::tuple<int, std::string, int64_t>, MemoryJob*> ready;  // by priority, tenant, age
        std::map<Moment, MemoryJob*> delayed, scheduled;                    // by run_at, age
        Turns turns;
    };

    void change(MemoryJob& job, const std::function<void()>& edit);
    void place(MemoryJob& job);
    void displace(MemoryJob& job);
    void count(const MemoryJob& job, int by);
    void touch(MemoryJob& job);
    void makeReady(MemoryJob& job);
    void setFinal(MemoryJob& job, JobState state);
    // The first that waits for the flight under that key takes it, if there is one.
    void handOver(const std::string& cache_key);
    MemoryJob* firstFollower(const std::string& cache_key);
    void detach(MemoryJob& item);
    void erase(MemoryJob& job);
    LaneQueue& queue(const MemoryJob& job) { return lanes_[job.shown.lane]; }

    const Clock& clock_;
    const StoreTime& time_;
    const CrashPolicy crashes_;
    Changes& changes_;

    std::map<std::string, MemoryJob, std::less<>> jobs_;
    std::map<std::string, MemoryJob*> flights_;
    // By the key of the flight; those that are no items first, then by age.
    using Followers = std::map<std::pair<bool, int64_t>, MemoryJob*>;
    std::map<std::string, Followers> following_;
    std::map<std::string, KnownRequest> requests_;
    ByLane<LaneQueue> lanes_;
    std::map<std::pair<SteadyTime, int64_t>, MemoryJob*> leases_;   // by end, age
    std::map<std::pair<SteadyTime, int64_t>, MemoryJob*> limited_;  // that wait, by deadline, age
    std::map<Moment, MemoryJob*> waiting_;                          // that follow none, by `since`, age
    using Final = std::map<Moment, MemoryJob*>;                     // by finished, age; without items
    std::array<Final, 2> final_;                                    // the second are kept longer
    JobsByAge listed_;
    Stats counts_;
    int64_t last_age_ = 0;
};

}  // namespace stepper::store
