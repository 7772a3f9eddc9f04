#include "core/store/sqlite/views.h"

#include <limits>

#include "core/store/sqlite/transaction.h"

namespace stepper::store::sqlite {

namespace {

#define STEPPER_JOB_COLUMNS                                                                              \
    "j.id, j.kind, j.tenant, j.cache_key, j.state, j.lane, j.priority, j.version, j.fence, j.progress, " \
    "j.attempts, j.crashes, j.wanted_by, j.created_at, j.updated_at, j.run_at, j.finished_at, j.total, " \
    "j.done, j.failed, j.busy, j.seq, j.retried_as"

std::optional<WallTime> moment(const Query& q, int column) {
    const auto ms = q.optional(column);
    if (!ms) return {};
    return WallTime{milliseconds{*ms}};
}

Job readJob(const Query& q) {
    Job j;
    j.id = q.text(0);
    j.kind = q.text(1);
    j.tenant = q.text(2);
    j.cache_key = q.text(3);
    j.state = q.as<JobState>(4);
    j.lane = q.as<Lane>(5);
    j.priority = q.as<int>(6);
    j.version = q.integer(7);
    j.fence = q.integer(8);
    j.progress = q.as<int>(9);
    j.attempts = q.as<int>(10);
    j.crashes = q.as<int>(11);
    j.wanted_by = q.as<int>(12);
    j.created = *moment(q, 13);
    j.updated = *moment(q, 14);
    j.run_at = moment(q, 15);
    j.finished = moment(q, 16);
    j.total = q.as<int>(17);
    j.done = q.as<int>(18);
    j.failed = q.as<int>(19);
    j.busy = q.as<int>(20);
    j.place = q.integer(21);
    j.retried_as = q.text(22);
    return j;
}

int64_t bitsOf(const std::vector<JobState>& states) {
    int64_t bits = 0;
    for (const JobState s : states) bits |= int64_t{1} << static_cast<int>(s);
    return bits;
}

}  // namespace

std::optional<Job> findJob(Db& db, std::string_view id) {
    Query q(db,
            "SELECT " STEPPER_JOB_COLUMNS
            ", o.result, o.meta FROM job j LEFT JOIN outcome o ON o.seq = j.seq WHERE j.id = ?1",
            id);
    if (!q.next()) return {};
    Job j = readJob(q);
    j.result = q.text(23);
    j.meta = q.text(24);
    return j;
}

std::optional<NewJob> findRequest(Db& db, std::string_view id) {
    Query q(db,
            "SELECT j.id, j.kind, r.body, j.tenant, j.priority, j.cache_key, "
            "j.deadline - coalesce(j.start_at, j.created_at) FROM job j LEFT JOIN request r ON r.seq = j.seq "
            "WHERE j.id = ?1",
            id);
    if (!q.next()) return {};
    NewJob job;
    job.id = q.text(0);
    job.kind = q.text(1);
    job.request = q.text(2);
    job.tenant = q.text(3);
    job.priority = q.as<int>(4);
    job.cache_key = q.text(5);
    if (const auto limit = q.optional(6)) job.time_limit = milliseconds{*limit};
    return job;
}

std::optional<StoredBatch> findBatch(Db& db, std::string_view id) {
    StoredBatch out;
    {
        Query q(db,
                "SELECT j.id, j.tenant, o.meta, j.priority, j.cap FROM job j LEFT JOIN outcome o ON o.seq = "
                "j.seq "
                "WHERE j.id = ?1 AND j.total > 0",
                id);
        if (!q.next()) return {};
        out.batch.id = q.text(0);
        out.batch.tenant = q.text(1);
        out.batch.meta = q.text(2);
        out.batch.priority = q.as<int>(3);
        out.batch.concurrency = q.as<int>(4);
    }
    Query q(db,
            "SELECT j.id, j.label, j.kind, r.body, j.cache_key, j.priority, "
            "j.deadline - coalesce(j.start_at, j.created_at), j.state FROM job j LEFT JOIN request r ON "
            "r.seq = j.seq "
            "WHERE j.parent = (SELECT seq FROM job WHERE id = ?1) ORDER BY j.item",
            id);
    while (q.next()) {
        NewItem item{q.text(0), q.text(1), q.text(2), q.text(3), q.text(4), true, q.as<int>(5)};
        if (const auto limit = q.optional(6)) item.time_limit = milliseconds{*limit};
        out.batch.items.push_back(std::move(item));
        out.states.push_back(q.as<JobState>(7));
    }
    return out;
}

std::vector<std::string> retryable(Db& db, const RetryFilter& filter, int64_t now) {
    const int64_t states = bitsOf(filter.states);
    const int64_t failed = bitsOf({JobState::Failed});
    const int64_t since = filter.within ? after(now, -*filter.within) : 0;
    std::vector<std::string> ids;
    // The failed ones and the others are two stretches of one index.
    Query q(db,
            "SELECT id FROM (SELECT id, finished_at, seq FROM job WHERE state >= 10 AND parent IS NULL AND "
            "(state = 11 OR (state = 10 AND failed > 0)) = 1 AND finished_at BETWEEN ?1 AND ?6 AND ?2 & ?3 "
            "AND background = 0 AND retried_as IS NULL AND (?4 IS NULL OR tenant = ?4) "
            "UNION ALL SELECT id, finished_at, seq FROM job WHERE state >= 10 AND parent IS NULL AND "
            "(state = 11 OR (state = 10 AND failed > 0)) = 0 AND finished_at BETWEEN ?1 AND ?6 AND (1 << "
            "state) & ?2 "
            "AND total = 0 AND background = 0 AND retried_as IS NULL AND (?4 IS NULL OR tenant = ?4)) "
            "ORDER BY finished_at, seq LIMIT ?5",
            since, states, failed, filter.tenant, std::max(0, filter.limit), after(now, -filter.not_within));
    while (q.next()) ids.push_back(q.text(0));
    return ids;
}

std::vector<BatchItem> itemsOf(Db& db, std::string_view batch_id) {
    std::vector<BatchItem> items;
    Query q(db,
            "SELECT j.label, j.state, o.result, o.meta FROM job j LEFT JOIN outcome o ON o.seq = j.seq "
            "WHERE j.parent = (SELECT seq FROM job WHERE id = ?1) ORDER BY j.item",
            batch_id);
    while (q.next()) items.push_back({q.text(0), q.as<JobState>(1), q.text(2), q.text(3)});
    return items;
}

std::vector<Job> list(Db& db, const ListFilter& filter) {
    std::vector<Job> jobs;
    Query q(db,
            "SELECT " STEPPER_JOB_COLUMNS
            " FROM job j WHERE j.parent IS NULL AND (1 << j.state) & ?1 AND (?3 < 0 OR j.state <> 5 OR "
            "(j.done + j.failed > 0 OR j.progress > 0) = ?3) AND j.seq < ?4 ORDER BY j.seq DESC LIMIT ?2",
            filter.states.empty() ? -1 : bitsOf(filter.states), std::max(0, filter.limit),
            filter.at_work ? int{*filter.at_work} : -1,
            filter.before.value_or(std::numeric_limits<int64_t>::max()));
    while (q.next()) jobs.push_back(readJob(q));
    return jobs;
}

Stats stats(Db& db, int64_t now) {
    Stats s;
    {
        Query q(db, "SELECT lane, count(*), min(seq) FROM job WHERE state = 0 GROUP BY lane");
        while (q.next()) {
            LaneStats& lane = s.lanes[q.as<Lane>(0)];
            lane.ready = q.integer(1);
            Query oldest(db, "SELECT coalesce(start_at, created_at) FROM job WHERE seq = ?1", q.integer(2));
            if (oldest.next())
                lane.oldest_ready = milliseconds{std::max<int64_t>(0, now - oldest.integer(0))};
        }
    }
    for (const Sql sql : {Sql("SELECT lane, count(*) FROM job WHERE state = 1 GROUP BY lane"),
                          Sql("SELECT lane, count(*) FROM job WHERE state = 6 GROUP BY lane")}) {
        Query q(db, sql);
        while (q.next()) s.lanes[q.as<Lane>(0)].delayed += q.integer(1);
    }
    {
        Query q(db, "SELECT lane, count(*) FROM job WHERE state = 2 GROUP BY lane");
        while (q.next()) s.lanes[q.as<Lane>(0)].leased = q.integer(1);
    }
    {
        Query q(db, "SELECT count(*) FROM job WHERE state = 3");
        if (q.next()) s.held = q.integer(0);
    }
    Query q(db, "SELECT count(*) FROM job WHERE state = 4");
    if (q.next()) s.following = q.integer(0);
    return s;
}

}  // namespace stepper::store::sqlite
