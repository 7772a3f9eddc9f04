#include "core/store/sqlite/endings.h"

namespace stepper::store::sqlite {

namespace {

constexpr int64_t kAll = -1;  // SQLite's word for no limit

bool isBusy(JobState s) { return s == JobState::Ready || s == JobState::Delayed || s == JobState::Leased; }

void itemEnded(Transaction& tx, int64_t batch, JobState was, JobState is) {
    int64_t left = 0;
    bool is_open = false;
    {
        Query q(
            tx.db,
            "UPDATE job SET done = done + ?2, failed = failed + ?3, busy = busy - ?4, updated_at = ?5, "
            "version = version + 1 WHERE seq = ?1 AND state IN (5, 6) RETURNING id, total - done - failed, "
            "state",
            batch, isDone(is), !isDone(is), isBusy(was), tx.now);
        // A batch that was cancelled itself is final.
        if (!q.next()) return;
        tx.effects.changed.push_back(q.text(0));
        left = q.integer(1);
        is_open = q.integer(2) == static_cast<int64_t>(JobState::Open);
    }
    if (left == 0) return closeBatch(tx, batch);
    if (is_open) admit(tx, batch);
}

void end(Transaction& tx, const Row& row, JobState state) {
    const bool revoked = state == JobState::Cancelled && row.state == JobState::Leased;
    tx.db.run(
        "UPDATE job SET state = ?2, fence = fence + ?3, finished_at = ?4, updated_at = ?4, "
        "version = version + 1, flies = 0, lease_until = NULL, run_at = NULL WHERE seq = ?1",
        row.seq, state, revoked, tx.now);
    tx.effects.changed.push_back(row.id);
    if (revoked) tx.effects.revoked.push_back(row.id);
    if (row.parent) itemEnded(tx, *row.parent, row.state, state);
}

// Of the job that flies under this key, in the order in which they would inherit its flight; at most so many.
std::vector<int64_t> followersOf(Transaction& tx, std::string_view cache_key, int64_t most) {
    std::vector<int64_t> seqs;
    Query q(
        tx.db,
        "SELECT seq FROM job WHERE state = 4 AND cache_key = ?1 ORDER BY parent IS NOT NULL, seq LIMIT ?2",
        cache_key, most);
    while (q.next()) seqs.push_back(q.integer(0));
    return seqs;
}

// An item takes the flight where its batch has room, any other job at once.
void inherit(Transaction& tx, const Row& heir) {
    tx.db.run(
        "UPDATE job SET state = ?2, flies = 1, updated_at = ?3, version = version + 1 "
        "WHERE seq = ?1",
        heir.seq, heir.parent ? JobState::Held : JobState::Ready, tx.now);
    tx.effects.changed.push_back(heir.id);
    tx.effects.lanes.insert(heir.lane);
    if (heir.parent) admit(tx, *heir.parent);
}

void handOver(Transaction& tx, const Row& leader) {
    if (!leader.flies) return;
    for (const int64_t seq : followersOf(tx, leader.cache_key, 1))
        if (const auto heir = load(tx.db, seq)) inherit(tx, *heir);
}

}  // namespace

void conclude(Transaction& tx, const Row& row, JobState state, std::string_view result,
              std::string_view meta) {
    end(tx, row, state);
    setOutcome(tx.db, row.seq, result, meta);
    if (!row.flies) return;
    for (const int64_t seq : followersOf(tx, row.cache_key, kAll)) {
        const auto follower = load(tx.db, seq);
        if (!follower) return;
        end(tx, *follower, state);
        setOutcome(tx.db, seq, result, meta);
    }
}

void concludeAlone(Transaction& tx, const Row& row, JobState state, std::string_view result,
                   std::string_view meta) {
    end(tx, row, state);
    setOutcome(tx.db, row.seq, result, meta);
    handOver(tx, row);
}

void cancel(Transaction& tx, const Row& row) {
    end(tx, row, JobState::Cancelled);
    handOver(tx, row);
}

void closeBatch(Transaction& tx, int64_t batch) {
    tx.db.run("UPDATE job SET state = 10, finished_at = ?2 WHERE seq = ?1", batch, tx.now);
}

void admit(Transaction& tx, int64_t batch) {
    int64_t room = 0;
    {
        Query q(tx.db, "SELECT cap - busy FROM job WHERE seq = ?1", batch);
        if (q.next()) room = q.integer(0);
    }
    if (room <= 0) return;
    int64_t admitted = 0;
    {
        Query q(tx.db,
                "UPDATE job SET state = 0, updated_at = ?3, version = version + 1 WHERE seq IN "
                "(SELECT seq FROM job INDEXED BY job_held WHERE state = 3 AND parent = ?1 ORDER BY "
                "priority, item LIMIT ?2) "
                "RETURNING id, lane",
                batch, room, tx.now);
        for (; q.next(); ++admitted) {
            tx.effects.changed.push_back(q.text(0));
            tx.effects.lanes.insert(q.as<Lane>(1));
        }
    }
    if (admitted > 0) tx.db.run("UPDATE job SET busy = busy + ?2 WHERE seq = ?1", batch, admitted);
}

void recover(Transaction& tx, const Row& row, const CrashPolicy& policy) {
    const int crashes = row.crashes + 1;
    const Lane lane = crashes >= policy.suspect_after ? Lane::Suspect : row.lane;
    tx.db.run(
        "UPDATE job SET state = 0, lane = ?2, crashes = ?3, fence = fence + 1, lease_until = NULL, "
        "updated_at = ?4, version = version + 1 WHERE seq = ?1",
        row.seq, lane, crashes, tx.now);
    tx.effects.revoked.push_back(row.id);
    if (crashes >= policy.fail_after) {
        Row ready = row;
        ready.state = JobState::Ready;
        return conclude(tx, ready, JobState::Failed, {}, policy.failed_meta);
    }
    tx.effects.changed.push_back(row.id);
    tx.effects.lanes.insert(lane);
}

}  // namespace stepper::store::sqlite
