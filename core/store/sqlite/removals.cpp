#include "core/store/sqlite/removals.h"

#include "core/store/sqlite/endings.h"

namespace stepper::store::sqlite {

namespace {

constexpr int64_t kMostSwept = 200;  // rows, except that a batch goes as a whole

// An item that clients of its own wait for becomes a job like any other.
void letGo(Transaction& tx, int64_t seq) {
    tx.db.run(
        "UPDATE job SET parent = NULL, item = NULL, label = NULL, wanted_by = wanted_by - 1 WHERE seq = ?1",
        seq);
}

std::vector<int64_t> itemsOf(Transaction& tx, int64_t batch, bool only_wanted_by_others) {
    std::vector<int64_t> seqs;
    Query q(tx.db, "SELECT seq FROM job WHERE parent = ?1 AND wanted_by > ?2 ORDER BY item", batch,
            only_wanted_by_others ? 1 : -1);
    while (q.next()) seqs.push_back(q.integer(0));
    return seqs;
}

void cancelBatch(Transaction& tx, const Row& batch) {
    tx.db.run(
        "UPDATE job SET state = 12, failed = total - done, busy = 0, run_at = NULL, finished_at = ?2, "
        "updated_at = ?2, "
        "version = version + 1 WHERE seq = ?1",
        batch.seq, tx.now);
    tx.effects.changed.push_back(batch.id);
    const auto items = itemsOf(tx, batch.seq, false);
    // Followers first, or they would inherit flights only to be cancelled, too.
    for (const int64_t seq : items)
        if (const auto row = load(tx.db, seq); row && row->state == JobState::Following) cancel(tx, *row);
    for (const int64_t seq : items) {
        const auto row = load(tx.db, seq);
        if (!row || isFinal(row->state)) continue;
        if (row->wanted_by > 1)
            letGo(tx, seq);
        else
            cancel(tx, *row);
    }
}

void purge(Transaction& tx, int64_t seq) {
    for (const int64_t item : itemsOf(tx, seq, true)) letGo(tx, item);
    tx.db.run("DELETE FROM job WHERE seq = ?1", seq);
}

std::optional<int64_t> oldestFinal(Transaction& tx, bool failed, milliseconds retention) {
    Query q(
        tx.db,
        "SELECT seq FROM job WHERE state >= 10 AND parent IS NULL AND "
        "(state = 11 OR (state = 10 AND failed > 0)) = ?2 AND finished_at < ?1 ORDER BY finished_at LIMIT 1",
        after(tx.now, -retention), failed);
    if (!q.next()) return {};
    return q.integer(0);
}

}  // namespace

Dropped drop(Transaction& tx, std::string_view id, bool force) {
    const auto row = load(tx.db, id);
    if (!row) return {Dropped::How::NotFound};
    const bool final = isFinal(row->state);
    // A final item goes with its batch, which wants it until then.
    const bool kept = final && row->parent;
    const int wanted_by = std::max(row->wanted_by - 1, kept ? 1 : 0);
    tx.db.run("UPDATE job SET wanted_by = ?2 WHERE seq = ?1", row->seq, wanted_by);
    if (kept || (wanted_by > 0 && !force)) return {Dropped::How::StillWanted, wanted_by};
    if (final) {
        purge(tx, row->seq);
        tx.effects.changed.push_back(row->id);
        return {Dropped::How::Purged};
    }
    if (row->is_batch)
        cancelBatch(tx, *row);
    else
        cancel(tx, *row);
    return {Dropped::How::Cancelled};
}

bool sweep(Transaction& tx, Retention retention) {
    const int64_t before = tx.db.totalChanges();
    const auto swept = [&] { return tx.db.totalChanges() - before; };
    bool more = true;
    while (more && swept() < kMostSwept) {
        auto seq = oldestFinal(tx, false, retention.ended);
        if (!seq) seq = oldestFinal(tx, true, retention.failed);
        if (seq) purge(tx, *seq);
        more = seq.has_value();
    }
    const int64_t expired =
        tx.db.run("DELETE FROM cache WHERE rowid IN (SELECT rowid FROM cache WHERE expires <= ?1 LIMIT ?2)",
                  tx.now, kMostSwept);
    const int64_t forgotten = tx.db.run(
        "DELETE FROM answered WHERE rowid IN (SELECT rowid FROM answered WHERE used_at < ?1 LIMIT ?2)",
        after(tx.now, -retention.ended), kMostSwept);
    return more || expired == kMostSwept || forgotten == kMostSwept;
}

}  // namespace stepper::store::sqlite
