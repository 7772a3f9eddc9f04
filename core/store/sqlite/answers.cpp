#include "core/store/sqlite/answers.h"

namespace stepper::store::sqlite {

std::optional<CachedAnswer> findAnswer(Db& db, std::string_view key, const Moment& at) {
    if (key.empty()) return {};
    Query q(db,
            "SELECT job_id, kind, result, meta, made_at, fresh_until, expires, refresh_after FROM cache "
            "WHERE key = ?1 AND expires > ?2",
            key, at.now);
    if (!q.next()) return {};
    return CachedAnswer{.job_id = q.text(0),
                        .kind = q.text(1),
                        .result = q.text(2),
                        .meta = q.text(3),
                        .made_at = at.toSteady(q.integer(4)),
                        .fresh_until = at.toSteady(q.integer(5)),
                        .expires = at.toSteady(q.integer(6)),
                        .refresh_after = q.integer(7) == 0 ? SteadyTime{} : at.toSteady(q.integer(7))};
}

std::optional<CachedAnswer> freshAnswer(Transaction& tx, std::string_view key, bool accept) {
    if (!accept) return {};
    auto answer = findAnswer(tx.db, key, tx);
    if (!answer || tx.toStored(answer->fresh_until) <= tx.now) return {};
    return answer;
}

void keepAnswer(Transaction& tx, const Row& job, const Ending& ending) {
    tx.db.run(
        "INSERT INTO cache(key, job_id, kind, result, meta, made_at, fresh_until, expires) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(key) DO UPDATE SET job_id = excluded.job_id, "
        "kind = excluded.kind, result = excluded.result, meta = excluded.meta, made_at = excluded.made_at, "
        "fresh_until = excluded.fresh_until, expires = excluded.expires, refresh_after = 0",
        job.cache_key, job.id, job.kind, Blob{ending.result}, Blob{ending.meta}, tx.now,
        after(tx.now, ending.cache->fresh_for), after(tx.now, ending.cache->ttl));
    tx.effects.answers.push_back(job.cache_key);
}

void pauseRefresh(Transaction& tx, std::string_view key, milliseconds pause) {
    if (tx.db.run("UPDATE cache SET refresh_after = ?2 WHERE key = ?1", key, after(tx.now, pause)) > 0)
        tx.effects.answers.emplace_back(key);
}

bool forgetAnswer(Transaction& tx, std::string_view key, std::string_view made_by) {
    if (tx.db.run("DELETE FROM cache WHERE key = ?1 AND expires > ?3 AND (?2 = '' OR job_id = ?2)", key,
                  made_by, tx.now) == 0)
        return false;
    tx.effects.answers.emplace_back(key);
    return true;
}

}  // namespace stepper::store::sqlite
