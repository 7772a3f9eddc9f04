#include "core/store/sqlite/row.h"

namespace stepper::store::sqlite {

std::optional<int64_t> seqOf(Db& db, std::string_view id) {
    Query q(db, "SELECT seq FROM job WHERE id = ?1", id);
    if (!q.next()) return {};
    return q.integer(0);
}

std::optional<int64_t> flightOf(Db& db, std::string_view cache_key) {
    if (cache_key.empty()) return {};
    Query q(db, "SELECT seq FROM job WHERE cache_key = ?1 AND flies = 1", cache_key);
    if (!q.next()) return {};
    return q.integer(0);
}

std::optional<Row> load(Db& db, int64_t seq) {
    Query q(db,
            "SELECT id, kind, cache_key, state, lane, fence, attempts, crashes, progress, wanted_by, flies, "
            "total > 0, parent, deadline FROM job WHERE seq = ?1",
            seq);
    if (!q.next()) return {};
    Row r;
    r.seq = seq;
    r.id = q.text(0);
    r.kind = q.text(1);
    r.cache_key = q.text(2);
    r.state = q.as<JobState>(3);
    r.lane = q.as<Lane>(4);
    r.fence = q.integer(5);
    r.attempts = q.as<int>(6);
    r.crashes = q.as<int>(7);
    r.progress = q.as<int>(8);
    r.wanted_by = q.as<int>(9);
    r.flies = q.integer(10) != 0;
    r.is_batch = q.integer(11) != 0;
    r.parent = q.optional(12);
    r.deadline = q.optional(13);
    return r;
}

std::optional<Row> load(Db& db, std::string_view id) {
    const auto seq = seqOf(db, id);
    if (!seq) return {};
    return load(db, *seq);
}

std::optional<Row> loadLeased(Db& db, const Lease& lease) {
    auto row = load(db, lease.id);
    if (!row || row->state != JobState::Leased || row->fence != lease.fence) return {};
    return row;
}

int64_t insert(Transaction& tx, const NewRow& r) {
    tx.db.run(
        "INSERT INTO job(id, kind, tenant, lane, priority, state, wanted_by, background, flies, cache_key, "
        "created_at, updated_at, finished_at, deadline, parent, item, label, total, cap, anew, start_at, "
        "run_at) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, "
        "?20, "
        "iif(?6 = 6, ?20, NULL))",
        r.id, r.kind, r.tenant, r.lane, r.priority, r.state, r.wanted_by, r.background, r.flies, r.cache_key,
        tx.now, r.finished_at, r.deadline, r.parent, r.item, r.label, r.total, r.cap, r.anew, r.start_at);
    return tx.db.lastRowid();
}

void insertRequest(Db& db, int64_t seq, std::string_view request) {
    db.run("INSERT INTO request(seq, body) VALUES(?1, ?2)", seq, Blob{request});
}

void setOutcome(Db& db, int64_t seq, std::string_view result, std::string_view meta) {
    db.run(
        "INSERT INTO outcome(seq, result, meta) VALUES(?1, ?2, ?3) "
        "ON CONFLICT(seq) DO UPDATE SET result = excluded.result, meta = excluded.meta",
        seq, Blob{result}, Blob{meta});
}

namespace {

std::optional<Enqueued> earlierAnswer(Transaction& tx, std::string_view key, std::string_view digest) {
    Query q(tx.db,
            "SELECT digest = ?2, job_id, kind, result, meta, made_at, fresh_until, expires FROM answered "
            "WHERE key = ?1",
            key, digest);
    if (!q.next()) return {};
    if (q.integer(0) == 0) return Enqueued{Enqueued::How::Conflict, {}, {}};
    return Enqueued{Enqueued::How::Repeated,
                    {},
                    CachedAnswer{.job_id = q.text(1),
                                 .kind = q.text(2),
                                 .result = q.text(3),
                                 .meta = q.text(4),
                                 .made_at = tx.toSteady(q.integer(5)),
                                 .fresh_until = tx.toSteady(q.integer(6)),
                                 .expires = tx.toSteady(q.integer(7))}};
}

}  // namespace

std::optional<Enqueued> earlierUse(Transaction& tx, std::string_view id, std::string_view key,
                                   std::string_view digest) {
    if (seqOf(tx.db, id)) return Enqueued{Enqueued::How::Repeated, std::string(id), {}};
    if (key.empty()) return {};
    Query q(tx.db,
            "SELECT u.digest = ?2, j.id FROM idempotency u JOIN job j ON j.seq = u.job WHERE u.key = ?1", key,
            digest);
    if (!q.next()) return earlierAnswer(tx, key, digest);
    if (q.integer(0) == 0) return Enqueued{Enqueued::How::Conflict, {}, {}};
    return Enqueued{Enqueued::How::Repeated, q.text(1), {}};
}

std::optional<Enqueued> runAlready(Db& db, const RunAgain& again) {
    if (!again.once) return {};
    Query q(db, "SELECT retried_as FROM job WHERE id = ?1 AND retried_as IS NOT NULL", again.of);
    if (!q.next()) return {};
    return Enqueued{Enqueued::How::Repeated, q.text(0), {}};
}

void noteRetry(Db& db, const RunAgain& again, std::string_view id) {
    if (!again.of.empty())
        db.run("UPDATE job SET retried_as = ?2, version = version + 1 WHERE id = ?1", again.of, id);
}

void rememberUse(Db& db, std::string_view key, std::string_view digest, int64_t seq) {
    if (key.empty()) return;
    db.run("INSERT INTO idempotency(key, digest, job) VALUES(?1, ?2, ?3)", key, digest, seq);
}

void rememberAnswer(Transaction& tx, std::string_view key, std::string_view digest,
                    const CachedAnswer& answer) {
    if (key.empty()) return;
    tx.db.run(
        "INSERT INTO answered(key, digest, used_at, job_id, kind, made_at, fresh_until, expires, result, "
        "meta) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        key, digest, tx.now, answer.job_id, answer.kind, tx.toStored(answer.made_at),
        tx.toStored(answer.fresh_until), tx.toStored(answer.expires), Blob{answer.result}, Blob{answer.meta});
}

}  // namespace stepper::store::sqlite
