// Rows of live jobs, as the operations see them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/store/sqlite/transaction.h"
#include "core/store/store.h"

namespace stepper::store::sqlite {

struct Row {
    int64_t seq = 0;
    std::string id, kind, cache_key;
    JobState state = JobState::Ready;
    Lane lane = Lane::Live;
    int64_t fence = 0;
    int attempts = 0, crashes = 0, progress = 0, wanted_by = 1;
    bool flies = false, is_batch = false;
    std::optional<int64_t> deadline, parent;
};

// What a row that is about to be written starts with.
struct NewRow {
    std::string_view id = {}, kind = {}, tenant = {}, cache_key = {};
    Lane lane = Lane::Live;
    JobState state = JobState::Ready;
    int priority = kNormalPriority;
    int wanted_by = 1;
    bool background = false, flies = false, anew = false;
    std::optional<int64_t> start_at = {};  // of a scheduled one, or an item of such a batch
    std::optional<int64_t> finished_at = {}, deadline = {}, parent = {}, item = {};
    std::optional<std::string_view> label = {};
    int total = 0, cap = 0;
};

std::optional<int64_t> seqOf(Db& db, std::string_view id);
// The live job that flies under this key.
std::optional<int64_t> flightOf(Db& db, std::string_view cache_key);
std::optional<Row> load(Db& db, int64_t seq);
std::optional<Row> load(Db& db, std::string_view id);
// The job a lease is for, if it is still held.
std::optional<Row> loadLeased(Db& db, const Lease& lease);

int64_t insert(Transaction& tx, const NewRow& row);
void insertRequest(Db& db, int64_t seq, std::string_view request);
void setOutcome(Db& db, int64_t seq, std::string_view result, std::string_view meta);

// What came of this id or idempotency key before; nothing when both are new.
std::optional<Enqueued> earlierUse(Transaction& tx, std::string_view id, std::string_view key,
                                   std::string_view digest);
// The job that was made to run the same one again, where one is to be made once only.
std::optional<Enqueued> runAlready(Db& db, const RunAgain& again);
void noteRetry(Db& db, const RunAgain& again, std::string_view id);
void rememberUse(Db& db, std::string_view key, std::string_view digest, int64_t seq);
// The first use was answered at once.
void rememberAnswer(Transaction& tx, std::string_view key, std::string_view digest,
                    const CachedAnswer& answer);

}  // namespace stepper::store::sqlite
