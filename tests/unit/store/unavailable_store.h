// A store that can do nothing, for fakes that know one thing.
#pragma once
#include "core/store/store.h"

namespace stepper::store {

class UnavailableStore : public Store {
public:
    void setListener(Listener*) override {}
    Result<Enqueued> enqueue(const NewJob&) override { return unavailable(); }
    Result<Enqueued> enqueueBatch(const NewBatch&) override { return unavailable(); }
    Result<Claims> claim(Lane, int, milliseconds) override { return unavailable(); }
    Result<Claims> claimOverdue(int, milliseconds, milliseconds) override { return unavailable(); }
    Result<std::vector<std::string>> heartbeat(std::span<const Beat>, milliseconds) override {
        return unavailable();
    }
    Result<bool> finish(const Lease&, const Ending&) override { return unavailable(); }
    Result<bool> postpone(const Lease&, const Postponement&) override { return unavailable(); }
    Result<int> reap() override { return unavailable(); }
    Result<Dropped> drop(std::string_view, bool) override { return unavailable(); }
    Result<std::optional<Job>> job(std::string_view) override { return unavailable(); }
    Result<std::optional<NewJob>> request(std::string_view) override { return unavailable(); }
    Result<std::optional<StoredBatch>> batch(std::string_view) override { return unavailable(); }
    Result<std::vector<std::string>> retryable(const RetryFilter&) override { return unavailable(); }
    Result<std::vector<BatchItem>> items(std::string_view) override { return unavailable(); }
    Result<std::vector<Job>> list(const ListFilter&) override { return unavailable(); }
    Result<Stats> stats() override { return unavailable(); }
    Result<std::optional<CachedAnswer>> cached(std::string_view) override { return unavailable(); }
    Result<bool> forget(std::string_view, std::string_view) override { return unavailable(); }
    Result<bool> sweep(Retention) override { return unavailable(); }
    Result<void> putNotes(std::span<const Note>) override { return unavailable(); }
    Result<std::vector<Note>> notes(std::string_view, std::string_view, size_t) override {
        return unavailable();
    }
    milliseconds time() const override { return {}; }
    Health health() const override { return {}; }

protected:
    static Error unavailable() { return {ErrorClass::Internal, "the store is not available"}; }
};

}  // namespace stepper::store
