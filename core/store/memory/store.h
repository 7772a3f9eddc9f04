// The store that forgets everything with the process: plain containers under one lock, and the executable
// form of what store.h says. Leases and time limits run on the steady clock. Errors: only when a batch brings
// an item whose id is taken.
#pragma once
#include <map>
#include <mutex>
#include <shared_mutex>

#include "core/store/memory/jobs.h"
#include "core/store/store.h"

namespace stepper::store {

class MemoryStore final : public Store {
public:
    // The clock must outlive it.
    MemoryStore(const Clock& clock, CrashPolicy crashes);

    // Returns when no call to the listener before is going on.
    void setListener(Listener* listener) override;

    Result<Enqueued> enqueue(const NewJob& job) override;
    Result<Enqueued> enqueueBatch(const NewBatch& batch) override;
    Result<Claims> claim(Lane lane, int max, milliseconds lease) override;
    Result<Claims> claimOverdue(int max, milliseconds lease, milliseconds max_wait) override;
    Result<std::vector<std::string>> heartbeat(std::span<const Beat> beats, milliseconds lease) override;
    Result<bool> finish(const Lease& lease, const Ending& ending) override;
    Result<bool> postpone(const Lease& lease, const Postponement& p) override;
    Result<int> reap() override;
    Result<Dropped> drop(std::string_view id, bool force) override;
    Result<std::optional<Job>> job(std::string_view id) override;
    Result<std::optional<NewJob>> request(std::string_view id) override;
    Result<std::optional<StoredBatch>> batch(std::string_view id) override;
    Result<std::vector<std::string>> retryable(const RetryFilter& filter) override;
    Result<std::vector<BatchItem>> items(std::string_view batch_id) override;
    Result<std::vector<Job>> list(const ListFilter& filter) override;
    Result<Stats> stats() override;
    Result<std::optional<CachedAnswer>> cached(std::string_view key) override;
    Result<bool> forget(std::string_view key, std::string_view made_by) override;
    Result<void> putNotes(std::span<const Note> notes) override;
    Result<std::vector<Note>> notes(std::string_view prefix, std::string_view from, size_t most) override;
    Result<bool> sweep(Retention retention) override;
    milliseconds time() const override { return milliseconds{time_.now()}; }
    Health health() const override { return {}; }

private:
    class Round;

    std::optional<Enqueued> repeated(const std::string& id, const std::string& idempotency_key,
                                     const std::string& request_digest);
    std::optional<Enqueued> runAlready(const RunAgain& again);
    void noteRetry(const RunAgain& again, const std::string& id);
    Enqueued take(const NewJob& job);
    Result<Enqueued> take(const NewBatch& batch);
    std::optional<SteadyTime> deadline(std::optional<milliseconds> time_limit, milliseconds start_in) const;
    // The moment of the store's time; none when it is now.
    std::optional<WallTime> runAt(milliseconds start_in) const;
    // `leader`: the job it follows; null for none.
    void add(const NewJob& job, JobState state);
    void startDue(Lane lane);
    // Of a scheduled job, or an item of such a batch.
    void start(MemoryJob& job);
    void addItem(MemoryJob& batch, const NewItem& item, const NewBatch& wanted);
    const CachedAnswer* unexpired(std::string_view key) const;
    const CachedAnswer* fresh(std::string_view key) const;
    void keepAnswer(const MemoryJob& job, const Ending& ending);

    const Clock& clock_;
    const StoreTime time_;
    std::shared_mutex listener_mutex_;  // never taken before mutex_ is free
    Listener* listener_ = nullptr;

    std::mutex mutex_;  // of all below
    Changes changes_;   // of the call that has the lock
    MemoryJobs jobs_;
    std::map<std::string, CachedAnswer, std::less<>> answers_;
    std::map<std::string, std::string, std::less<>> notes_;
};

}  // namespace stepper::store
