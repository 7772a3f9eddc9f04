#include "core/store/sqlite/store.h"

#include <array>
#include <limits>

#include "core/store/sqlite/answers.h"
#include "core/store/sqlite/arrivals.h"
#include "core/store/sqlite/kept_time.h"
#include "core/store/sqlite/leases.h"
#include "core/store/sqlite/location.h"
#include "core/store/sqlite/notes.h"
#include "core/store/sqlite/readers.h"
#include "core/store/sqlite/removals.h"
#include "core/store/sqlite/salvage.h"
#include "core/store/sqlite/views.h"
#include "core/store/sqlite/writer.h"

namespace stepper::store::sqlite {

namespace {

class SqliteStore final : public Store {
public:
    SqliteStore(Ownership ownership, std::unique_ptr<Db> db, const Files& files, std::string_view kept_time,
                const OpenOptions& options, const Clock& clock, const Tuning& tuning)
        : clock_(clock),
          crashes_(options.crashes),
          ownership_(std::move(ownership)),
          time_(clock, kept_time),
          condition_(files, tuning.retry_pause),
          writer_(std::move(db), files.database.path, options.durability, tuning, clock, time_, condition_),
          readers_(files.database.path, tuning, condition_) {}

    std::optional<SqlFailure> failure() const { return readers_.failure(); }
    // The lock says that whoever leased is gone.
    Result<int> recoverLeases() {
        return writer_.run(Promise::None, [this](Transaction& tx) {
            return sqlite::reap(tx, std::numeric_limits<int64_t>::max(), crashes_);
        });
    }

    void setListener(Listener* listener) override { writer_.setListener(listener); }

    Result<Enqueued> enqueue(const NewJob& job) override {
        return writer_.run(Promise::Given, [job](Transaction& tx) { return sqlite::enqueue(tx, job); });
    }
    Result<Enqueued> enqueueBatch(const NewBatch& batch) override {
        return writer_.run(Promise::Given,
                           [batch](Transaction& tx) { return sqlite::enqueueBatch(tx, batch); });
    }
    Result<Claims> claim(Lane lane, int max, milliseconds lease) override {
        return writer_.run(
            Promise::None,
            [this, lane, max, lease](Transaction& tx) {
                return sqlite::claim(tx, turns_[lane], lane, max, lease);
            },
            giveBack);
    }
    Result<Claims> claimOverdue(int max, milliseconds lease, milliseconds max_wait) override {
        return writer_.run(
            Promise::None, [=](Transaction& tx) { return sqlite::claimOverdue(tx, max, lease, max_wait); },
            giveBack);
    }
    Result<std::vector<std::string>> heartbeat(std::span<const Beat> beats, milliseconds lease) override {
        return writer_.run(Promise::None,
                           [lease, beats = std::vector<Beat>(beats.begin(), beats.end())](Transaction& tx) {
                               return sqlite::heartbeat(tx, beats, lease);
                           });
    }
    Result<bool> finish(const Lease& lease, const Ending& ending) override {
        return writer_.run(Promise::Given,
                           [lease, ending](Transaction& tx) { return sqlite::finish(tx, lease, ending); });
    }
    Result<bool> postpone(const Lease& lease, const Postponement& p) override {
        return writer_.run(p.attempt_failed ? Promise::Given : Promise::None,
                           [lease, p](Transaction& tx) { return sqlite::postpone(tx, lease, p); });
    }
    Result<int> reap() override {
        // Leases that run out while the call waits could not be renewed meanwhile.
        const int64_t until = steadyMs(clock_.now());
        return writer_.run(Promise::None,
                           [this, until](Transaction& tx) { return sqlite::reap(tx, until, crashes_); });
    }
    Result<Dropped> drop(std::string_view id, bool force) override {
        return writer_.run(Promise::Given, [id = std::string(id), force](Transaction& tx) {
            return sqlite::drop(tx, id, force);
        });
    }
    Result<bool> forget(std::string_view key, std::string_view made_by) override {
        return writer_.run(Promise::Given, [key = std::string(key), made_by = std::string(made_by)](
                                               Transaction& tx) { return forgetAnswer(tx, key, made_by); });
    }
    Result<void> putNotes(std::span<const Note> notes) override {
        const auto put = writer_.run(
            Promise::None, [notes = std::vector<Note>(notes.begin(), notes.end())](Transaction& tx) {
                sqlite::putNotes(tx, notes);
                return true;
            });
        if (!put) return put.error();
        return {};
    }
    Result<bool> sweep(Retention retention) override {
        return writer_.run(Promise::None,
                           [retention](Transaction& tx) { return sqlite::sweep(tx, retention); });
    }

    Result<std::optional<Job>> job(std::string_view id) override {
        auto found = readers_.run([id](Db& db) { return findJob(db, id); });
        if (found && *found) time_.show(**found);
        return found;
    }
    Result<std::optional<NewJob>> request(std::string_view id) override {
        return readers_.run([id](Db& db) { return findRequest(db, id); });
    }
    Result<std::optional<StoredBatch>> batch(std::string_view id) override {
        return readers_.run([id](Db& db) { return findBatch(db, id); });
    }
    Result<std::vector<std::string>> retryable(const RetryFilter& filter) override {
        return readers_.run([&filter, this](Db& db) { return sqlite::retryable(db, filter, time_.now()); });
    }
    Result<std::vector<BatchItem>> items(std::string_view batch_id) override {
        return readers_.run([batch_id](Db& db) { return itemsOf(db, batch_id); });
    }
    Result<std::vector<Job>> list(const ListFilter& filter) override {
        auto jobs = readers_.run([&filter](Db& db) { return sqlite::list(db, filter); });
        if (jobs)
            for (Job& job : *jobs) time_.show(job);
        return jobs;
    }
    Result<Stats> stats() override {
        return readers_.run([this](Db& db) { return sqlite::stats(db, time_.now()); });
    }
    Result<std::optional<CachedAnswer>> cached(std::string_view key) override {
        return readers_.run([this, key](Db& db) {
            return findAnswer(db, key, {time_.now(), steadyMs(clock_.now())});
        });
    }
    Result<std::vector<Note>> notes(std::string_view prefix, std::string_view from, size_t most) override {
        auto found = readers_.run([=](Db& db) { return findNotes(db, prefix, from, most); });
        if (found) std::erase_if(*found, isKeptTime);
        return found;
    }

    milliseconds time() const override { return milliseconds{time_.now()}; }
    Health health() const override { return condition_.health(); }

private:
    // What was claimed for somebody who did not wait for it.
    static void giveBack(Transaction& tx, const Claims& claims) { unclaim(tx, claims.jobs); }

    const Clock& clock_;
    const CrashPolicy crashes_;
    const Ownership ownership_;
    StoreTime time_;
    Condition condition_;
    ByLane<Turns> turns_;  // of the writer's thread
    Writer writer_;        // ends after the readers, so that the last connection to close empties the log
    Readers readers_;
};

}  // namespace

Result<std::unique_ptr<Store>> open(const std::string& file, const OpenOptions& options, const Clock& clock,
                                    const Tuning& tuning, std::optional<Salvaged>* salvaged) {
    const std::string path = realPath(file);
    auto ownership = own(path);
    if (!ownership) return std::move(ownership).error();
    if (auto created = createFile(path); !created) return std::move(created).error();
    if (auto taken = ownership->takeDatabase(); !taken) return std::move(taken).error();
    if (auto aside = ownership->setStrayLogAside(); !aside) return std::move(aside).error();
    Found found = openDatabase(path, tuning);
    if (found.damaged && options.recover) {
        auto rescued = salvage(path, clock.wall(), tuning);
        if (!rescued) return std::move(rescued).error();
        if (salvaged) *salvaged = *rescued;
        if (auto taken = ownership->takeDatabase(); !taken) return std::move(taken).error();
        found = openDatabase(path, tuning);
    }
    if (!found.db) return std::move(found.error);
    const std::string kept_time = keptTime(*found.db);
    if (kept_time.empty())
        bringBackToNow(*found.db, std::chrono::floor<milliseconds>(clock.wall()).time_since_epoch().count());
    if (const auto& failure = found.db->failure())
        return Error{ErrorClass::Config, "The store " + path + " cannot be used: " + failure->message +
                                             ". See that its disk has room and is writable."};
    ownership->remember();

    auto store = std::make_unique<SqliteStore>(std::move(*ownership), std::move(found.db), locateAll(path),
                                               kept_time, options, clock, tuning);
    if (const auto failure = store->failure())
        return Error{ErrorClass::Config, "The store " + path + " cannot be read: " + failure->message +
                                             ". See that Stepper may read the file and its folder."};
    if (const auto recovered = store->recoverLeases(); !recovered)
        return Error{ErrorClass::Config, recovered.error().message};
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace stepper::store::sqlite
