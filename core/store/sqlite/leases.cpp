#include "core/store/sqlite/leases.h"

#include <algorithm>

#include "core/store/sqlite/answers.h"
#include "core/store/sqlite/arrivals.h"
#include "core/store/sqlite/endings.h"

namespace stepper::store::sqlite {

namespace {

// No job is put off for longer.
constexpr milliseconds kMostDelay = std::chrono::hours{24};
constexpr int kMostPromoted = 256;

void makeDueReady(Transaction& tx, Lane lane) {
    Query q(tx.db,
            "UPDATE job SET state = 0, run_at = NULL, updated_at = ?3, version = version + 1 WHERE seq IN "
            "(SELECT seq FROM job WHERE state = 1 AND lane = ?1 AND run_at <= ?3 "
            "ORDER BY run_at LIMIT ?2) RETURNING id",
            lane, kMostPromoted, tx.now);
    while (q.next()) tx.effects.changed.push_back(q.text(0));
}

std::optional<Turns::Waiting> firstWaiting(Query& q) {
    if (!q.next()) return {};
    return Turns::Waiting{q.text(0), q.integer(1)};
}

std::optional<int64_t> nextReady(Transaction& tx, Turns& turns, Lane lane) {
    std::optional<int> best;
    {
        Query q(tx.db, "SELECT priority FROM job WHERE state = 0 AND lane = ?1 ORDER BY priority LIMIT 1",
                lane);
        if (q.next()) best = q.as<int>(0);
    }
    if (!best) {
        turns.forget();
        return {};
    }
    const auto look = [&](const std::optional<std::string>& behind) {
        if (behind) {
            Query next(tx.db,
                       "SELECT tenant, seq FROM job WHERE state = 0 AND lane = ?1 AND priority = ?2 "
                       "AND tenant > ?3 ORDER BY tenant, seq LIMIT 1",
                       lane, *best, *behind);
            return firstWaiting(next);
        }
        Query first(tx.db,
                    "SELECT tenant, seq FROM job WHERE state = 0 AND lane = ?1 AND priority = ?2 "
                    "ORDER BY tenant, seq LIMIT 1",
                    lane, *best);
        return firstWaiting(first);
    };
    const auto waiting = turns.next(*best, look);
    if (!waiting) return {};
    return waiting->job;
}

// A batch is at work from its first item on.
void beginBatch(Transaction& tx, int64_t batch) {
    Query q(tx.db,
            "UPDATE job SET progress = 1, updated_at = ?2, version = version + 1 "
            "WHERE seq = ?1 AND progress = 0 AND state = 5 RETURNING id",
            batch, tx.now);
    if (q.next()) tx.effects.changed.push_back(q.text(0));
}

std::optional<Claimed> take(Transaction& tx, int64_t seq, milliseconds lease) {
    Query q(
        tx.db,
        "UPDATE job SET state = 2, run_at = NULL, fence = fence + 1, lease_until = ?2, "
        "updated_at = ?3, version = version + 1 WHERE seq = ?1 "
        "RETURNING id, fence, kind, tenant, cache_key, background, attempts, coalesce(start_at, created_at), "
        "deadline, parent",
        seq, after(tx.steady, lease), tx.now);
    if (!q.next()) return {};
    Claimed c;
    c.lease = {q.text(0), q.integer(1)};
    c.kind = q.text(2);
    c.tenant = q.text(3);
    c.cache_key = q.text(4);
    c.background = q.integer(5) != 0;
    c.attempts = q.as<int>(6);
    c.created = tx.toSteady(q.integer(7));
    if (const auto deadline = q.optional(8)) c.deadline = tx.toSteady(*deadline);
    if (const auto batch = q.optional(9)) beginBatch(tx, *batch);
    Query texts(tx.db,
                "SELECT r.body, o.meta FROM request r LEFT JOIN outcome o ON o.seq = r.seq WHERE r.seq = ?1",
                seq);
    if (texts.next()) {
        c.request = texts.text(0);
        c.meta = texts.text(1);
    }
    tx.effects.changed.push_back(c.lease.id);
    return c;
}

void takeSooner(std::optional<milliseconds>& at, std::optional<milliseconds> other) {
    if (other) at = std::min(at.value_or(*other), *other);
}

// Until the first run_at that it finds.
std::optional<milliseconds> until(Transaction& tx, Sql sql, Lane lane) {
    Query q(tx.db, sql, lane);
    if (!q.next()) return {};
    return milliseconds{std::max<int64_t>(0, q.integer(0) - tx.now)};
}

std::optional<milliseconds> nextStart(Transaction& tx, Lane lane) {
    return until(tx, "SELECT run_at FROM job WHERE state = 6 AND lane = ?1 ORDER BY run_at LIMIT 1", lane);
}

std::optional<milliseconds> nextDue(Transaction& tx, Lane lane) {
    auto due =
        until(tx, "SELECT run_at FROM job WHERE state = 1 AND lane = ?1 ORDER BY run_at LIMIT 1", lane);
    takeSooner(due, nextStart(tx, lane));
    return due;
}

// Whatever it waited for.
std::optional<Claimed> takeOverdue(Transaction& tx, int64_t seq, milliseconds lease) {
    const auto row = load(tx.db, seq);
    if (!row) return {};
    const bool had_no_room = row->state == JobState::Held || row->state == JobState::Following;
    if (row->parent && had_no_room) tx.db.run("UPDATE job SET busy = busy + 1 WHERE seq = ?1", *row->parent);
    return take(tx, seq, lease);
}

std::vector<int64_t> overdue(Transaction& tx, int max, int64_t oldest) {
    std::vector<int64_t> seqs;
    {
        Query late(tx.db,
                   "SELECT seq FROM job WHERE state IN (0, 1, 3, 4) AND deadline IS NOT NULL "
                   "AND deadline <= ?1 ORDER BY deadline LIMIT ?2",
                   tx.now, max);
        while (late.next()) seqs.push_back(late.integer(0));
    }
    Query old(tx.db,
              "SELECT seq FROM job WHERE state IN (0, 1) AND coalesce(start_at, created_at) <= ?1 "
              "ORDER BY coalesce(start_at, created_at) LIMIT ?2",
              oldest, max);
    while (static_cast<int>(seqs.size()) < max && old.next())
        if (std::ranges::find(seqs, old.integer(0)) == seqs.end()) seqs.push_back(old.integer(0));
    return seqs;
}

std::optional<milliseconds> nextOverdue(Transaction& tx, milliseconds max_wait) {
    std::optional<int64_t> soonest;
    {
        Query q(tx.db,
                "SELECT deadline FROM job WHERE state IN (0, 1, 3, 4) AND deadline IS NOT NULL "
                "ORDER BY deadline LIMIT 1");
        if (q.next()) soonest = q.integer(0);
    }
    Query q(tx.db,
            "SELECT coalesce(start_at, created_at) FROM job WHERE state IN (0, 1) "
            "AND coalesce(start_at, created_at) > 0 ORDER BY coalesce(start_at, created_at) LIMIT 1");
    if (q.next()) {
        const int64_t at = after(q.integer(0), max_wait);
        soonest = std::min(soonest.value_or(at), at);
    }
    if (!soonest) return {};
    return milliseconds{std::max<int64_t>(0, *soonest - tx.now)};
}

}  // namespace

Claims claim(Transaction& tx, Turns& turns, Lane lane, int max, milliseconds lease) {
    startDue(tx, lane);
    makeDueReady(tx, lane);
    Claims claims;
    while (static_cast<int>(claims.jobs.size()) < max) {
        const auto seq = nextReady(tx, turns, lane);
        if (!seq) break;
        auto claimed = take(tx, *seq, lease);
        if (!claimed) break;
        turns.charge(costOf(claimed->request.size()));
        claims.jobs.push_back(*std::move(claimed));
    }
    claims.next_due = nextDue(tx, lane);
    return claims;
}

Claims claimOverdue(Transaction& tx, int max, milliseconds lease, milliseconds max_wait) {
    Claims out;
    // A lane that has no room is not asked, and their time runs all the same.
    for (const Lane lane : kLanes) startDue(tx, lane);
    for (const int64_t seq : overdue(tx, max, after(tx.now, -max_wait)))
        if (auto claimed = takeOverdue(tx, seq, lease)) out.jobs.push_back(*std::move(claimed));
    out.next_due = nextOverdue(tx, max_wait);
    for (const Lane lane : kLanes) takeSooner(out.next_due, nextStart(tx, lane));
    return out;
}

void unclaim(Transaction& tx, std::span<const Claimed> jobs) {
    for (const Claimed& job : jobs) {
        const auto row = loadLeased(tx.db, job.lease);
        if (!row) continue;
        tx.db.run(
            "UPDATE job SET state = 0, lease_until = NULL, updated_at = ?2, version = version + 1 "
            "WHERE seq = ?1",
            row->seq, tx.now);
        tx.effects.changed.push_back(row->id);
        tx.effects.lanes.insert(row->lane);
    }
}

std::vector<std::string> heartbeat(Transaction& tx, std::span<const Beat> beats, milliseconds lease) {
    std::vector<std::string> lost;
    for (const Beat& beat : beats) {
        const auto row = loadLeased(tx.db, beat.lease);
        if (!row) {
            lost.push_back(beat.lease.id);
            continue;
        }
        tx.db.run("UPDATE job SET lease_until = ?2 WHERE seq = ?1", row->seq, after(tx.steady, lease));
        if (row->progress == beat.progress) continue;
        tx.db.run("UPDATE job SET progress = ?2, updated_at = ?3, version = version + 1 WHERE seq = ?1",
                  row->seq, beat.progress, tx.now);
        tx.effects.changed.push_back(row->id);
    }
    return lost;
}

bool finish(Transaction& tx, const Lease& lease, const Ending& ending) {
    const auto row = loadLeased(tx.db, lease);
    if (!row) return false;
    if (ending.cache && !row->cache_key.empty())
        keepAnswer(tx, *row, ending);
    else if (ending.refresh_pause > milliseconds{0})
        pauseRefresh(tx, row->cache_key, ending.refresh_pause);
    (ending.alone ? concludeAlone : conclude)(tx, *row, ending.state, ending.result, ending.meta);
    return true;
}

bool postpone(Transaction& tx, const Lease& lease, const Postponement& p) {
    const auto row = loadLeased(tx.db, lease);
    if (!row) return false;
    const bool later = p.delay > milliseconds{0};
    const Lane home = row->parent ? Lane::Batch : Lane::Live;
    const Lane lane = row->lane == Lane::Suspect ? home : row->lane;
    const auto run_at = later ? std::optional(after(tx.now, std::min(p.delay, kMostDelay))) : std::nullopt;
    tx.db.run(
        "UPDATE job SET state = ?2, lane = ?3, run_at = ?4, attempts = attempts + ?5, crashes = 0, "
        "lease_until = NULL, updated_at = ?6, version = version + 1 WHERE seq = ?1",
        row->seq, later ? JobState::Delayed : JobState::Ready, lane, run_at, p.attempt_failed, tx.now);
    if (!p.meta.empty()) setOutcome(tx.db, row->seq, {}, p.meta);
    tx.effects.changed.push_back(row->id);
    tx.effects.lanes.insert(lane);
    return true;
}

int reap(Transaction& tx, int64_t until, const CrashPolicy& policy) {
    std::vector<int64_t> seqs;
    {
        Query q(tx.db, "SELECT seq FROM job WHERE state = 2 AND lease_until <= ?1 ORDER BY lease_until",
                until);
        while (q.next()) seqs.push_back(q.integer(0));
    }
    for (const int64_t seq : seqs)
        if (const auto row = load(tx.db, seq)) recover(tx, *row, policy);
    return static_cast<int>(seqs.size());
}

}  // namespace stepper::store::sqlite
