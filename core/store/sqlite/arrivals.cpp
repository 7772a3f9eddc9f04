#include "core/store/sqlite/arrivals.h"

#include "core/store/sqlite/answers.h"
#include "core/store/sqlite/endings.h"

namespace stepper::store::sqlite {

namespace {

constexpr int kMostStarted = 64;  // at once, or one batch; the rest is the next claim's

std::optional<int64_t> startAt(const Transaction& tx, milliseconds start_in) {
    if (start_in <= milliseconds{0}) return {};
    return after(tx.now, start_in);
}

std::optional<int64_t> deadline(const Transaction& tx, std::optional<milliseconds> limit,
                                std::optional<int64_t> start_at) {
    if (!limit) return {};
    return after(start_at.value_or(tx.now), *limit);
}

// Somebody else waits for a live job: it is at least as urgent from now on, unless a worker has it already.
void urge(Transaction& tx, const Row& row, int priority) {
    if (row.state == JobState::Leased) return;
    const bool held = row.state == JobState::Held;
    tx.db.run(
        "UPDATE job SET priority = min(priority, ?2), lane = iif(lane = 1, 0, lane), "
        "state = iif(state = 3, 0, state), version = version + ?3, updated_at = iif(?3, ?4, updated_at) "
        "WHERE seq = ?1",
        row.seq, priority, held, tx.now);
    tx.effects.lanes.insert(row.lane == Lane::Batch ? Lane::Live : row.lane);
    if (!held) return;
    tx.effects.changed.push_back(row.id);
    // It takes room until it ends, be there any or not.
    tx.db.run("UPDATE job SET busy = busy + 1 WHERE seq = ?1", *row.parent);
}

// One more client waits for that very job.
void join(Transaction& tx, const Row& row, int priority) {
    tx.db.run("UPDATE job SET wanted_by = wanted_by + 1, background = 0 WHERE seq = ?1", row.seq);
    urge(tx, row, priority);
}

int64_t add(Transaction& tx, const NewJob& job, JobState state) {
    const auto start_at = startAt(tx, job.start_in);
    const int64_t seq = insert(tx, {.id = job.id,
                                    .kind = job.kind,
                                    .tenant = job.tenant,
                                    .cache_key = job.cache_key,
                                    .state = state,
                                    .priority = job.priority,
                                    .wanted_by = job.background ? 0 : 1,
                                    .background = job.background,
                                    .flies = state == JobState::Ready && !job.cache_key.empty(),
                                    .anew = !job.accept_cached,
                                    .start_at = start_at,
                                    .deadline = deadline(tx, job.time_limit, start_at)});
    insertRequest(tx.db, seq, job.request);
    tx.effects.lanes.insert(Lane::Live);
    return seq;
}

Enqueued coalesce(Transaction& tx, const Row& flying, const NewJob& job) {
    if (job.background) return {Enqueued::How::Coalesced, flying.id, {}};
    if (!flying.deadline && !job.time_limit) {
        join(tx, flying, job.priority);
        rememberUse(tx.db, job.idempotency_key, job.request_digest, flying.seq);
        return {Enqueued::How::Coalesced, flying.id, {}};
    }
    // With the same job it would share the other's time limit.
    urge(tx, flying, job.priority);
    rememberUse(tx.db, job.idempotency_key, job.request_digest, add(tx, job, JobState::Following));
    return {Enqueued::How::Coalesced, job.id, {}};
}

// Whether it is final at once.
bool addItem(Transaction& tx, int64_t batch, const NewBatch& in, int64_t index) {
    const NewItem& item = in.items[static_cast<size_t>(index)];
    const auto start_at = startAt(tx, in.start_in);
    NewRow row{.id = item.id,
               .kind = item.kind,
               .tenant = in.tenant,
               .cache_key = item.cache_key,
               .lane = Lane::Batch,
               .state = JobState::Held,
               .priority = item.priority.value_or(in.priority),
               .anew = !item.accept_cached,
               .start_at = start_at,
               .deadline = deadline(tx, item.time_limit ? item.time_limit : in.time_limit, start_at),
               .parent = batch,
               .item = index,
               .label = item.label};
    const auto answer = freshAnswer(tx, item.cache_key, item.accept_cached && !start_at);
    if (start_at) {
        // Until it starts it has nothing to do with others.
    } else if (answer) {
        row.state = JobState::Done;
        row.finished_at = tx.now;
    } else if (flightOf(tx.db, item.cache_key)) {
        row.state = JobState::Following;
    } else {
        row.flies = !item.cache_key.empty();
    }
    const int64_t seq = insert(tx, row);
    insertRequest(tx.db, seq, item.request);
    if (answer) setOutcome(tx.db, seq, answer->result, answer->meta);
    return answer.has_value();
}

// What a scheduled job, or an item of a scheduled batch, takes part with.
struct Starting {
    int64_t seq;
    std::string id, cache_key;
    bool anew, is_batch, is_item;
    int priority;
    Lane lane;
};

#define STEPPER_STARTING \
    "SELECT seq, id, cache_key, anew, total > 0, parent IS NOT NULL, priority, lane FROM job "

Starting startingIn(const Query& q) {
    return {q.integer(0),      q.text(1),         q.text(2),    q.integer(3) != 0,
            q.integer(4) != 0, q.integer(5) != 0, q.as<int>(6), q.as<Lane>(7)};
}

void moveOn(Transaction& tx, const Starting& job, JobState state, bool flies) {
    tx.db.run(
        "UPDATE job SET state = ?2, flies = ?3, run_at = NULL, finished_at = iif(?2 = 10, ?4, NULL), "
        "updated_at = ?4, version = version + 1 WHERE seq = ?1",
        job.seq, state, flies, tx.now);
    tx.effects.changed.push_back(job.id);
    tx.effects.lanes.insert(job.lane);
}

// Whether it is final at once.
bool start(Transaction& tx, const Starting& job) {
    if (const auto answer = freshAnswer(tx, job.cache_key, !job.anew)) {
        moveOn(tx, job, JobState::Done, false);
        setOutcome(tx.db, job.seq, answer->result, answer->meta);
        return true;
    }
    const auto flight = flightOf(tx.db, job.cache_key);
    const auto flying = flight ? load(tx.db, *flight) : std::nullopt;
    if (flying && !job.is_item) urge(tx, *flying, job.priority);
    const JobState on_its_own = job.is_item ? JobState::Held : JobState::Ready;
    moveOn(tx, job, flying ? JobState::Following : on_its_own, !flying && !job.cache_key.empty());
    return false;
}

void startBatch(Transaction& tx, const Starting& batch) {
    std::vector<Starting> items;
    {
        Query q(tx.db, STEPPER_STARTING "WHERE parent = ?1 AND state = 3 ORDER BY item", batch.seq);
        while (q.next()) items.push_back(startingIn(q));
    }
    int done = 0;
    for (const Starting& item : items) done += start(tx, item);
    moveOn(tx, batch, JobState::Open, false);
    tx.db.run("UPDATE job SET done = done + ?2 WHERE seq = ?1", batch.seq, done);
    if (done == static_cast<int>(items.size()))
        closeBatch(tx, batch.seq);
    else
        admit(tx, batch.seq);
}

Enqueued take(Transaction& tx, const NewJob& job) {
    if (job.start_in > milliseconds{0}) {
        rememberUse(tx.db, job.idempotency_key, job.request_digest, add(tx, job, JobState::Scheduled));
        return {Enqueued::How::Created, job.id, {}};
    }
    if (auto answer = freshAnswer(tx, job.cache_key, job.accept_cached)) {
        rememberAnswer(tx, job.idempotency_key, job.request_digest, *answer);
        return {Enqueued::How::Cached, {}, std::move(answer)};
    }
    if (const auto flight = flightOf(tx.db, job.cache_key)) {
        const auto row = load(tx.db, *flight);
        return row ? coalesce(tx, *row, job) : Enqueued{};
    }
    rememberUse(tx.db, job.idempotency_key, job.request_digest, add(tx, job, JobState::Ready));
    return {Enqueued::How::Created, job.id, {}};
}

}  // namespace

Enqueued enqueue(Transaction& tx, const NewJob& job) {
    if (auto earlier = earlierUse(tx, job.id, job.idempotency_key, job.request_digest)) return *earlier;
    if (auto already = runAlready(tx.db, job.again)) return *already;
    if (job.only_repeat) return {Enqueued::How::NotMade, {}, {}};
    Enqueued taken = take(tx, job);
    noteRetry(tx.db, job.again, taken.id);
    return taken;
}

Enqueued enqueueBatch(Transaction& tx, const NewBatch& batch) {
    if (auto earlier = earlierUse(tx, batch.id, batch.idempotency_key, batch.request_digest)) return *earlier;
    if (auto already = runAlready(tx.db, batch.again)) return *already;
    if (batch.only_repeat) return {Enqueued::How::NotMade, {}, {}};
    noteRetry(tx.db, batch.again, batch.id);
    const auto total = static_cast<int>(batch.items.size());
    const auto start_at = startAt(tx, batch.start_in);
    const int64_t seq = insert(tx, {.id = batch.id,
                                    .tenant = batch.tenant,
                                    .lane = Lane::Batch,
                                    .state = start_at ? JobState::Scheduled : JobState::Open,
                                    .priority = batch.priority,
                                    .start_at = start_at,
                                    .total = total,
                                    .cap = std::max(1, batch.concurrency)});
    rememberUse(tx.db, batch.idempotency_key, batch.request_digest, seq);
    if (!batch.meta.empty()) setOutcome(tx.db, seq, {}, batch.meta);
    int done = 0;
    for (int i = 0; i < total && !tx.db.failed(); ++i) done += addItem(tx, seq, batch, i);
    tx.db.run("UPDATE job SET done = ?2 WHERE seq = ?1", seq, done);
    if (done == total)
        closeBatch(tx, seq);
    else if (!start_at)
        admit(tx, seq);
    tx.effects.lanes.insert(Lane::Batch);
    return {Enqueued::How::Created, batch.id, {}};
}

void startDue(Transaction& tx, Lane lane) {
    std::vector<Starting> due;
    {
        Query q(tx.db,
                STEPPER_STARTING "WHERE state = 6 AND lane = ?1 AND run_at <= ?2 ORDER BY run_at LIMIT ?3",
                lane, tx.now, kMostStarted);
        while (q.next()) due.push_back(startingIn(q));
    }
    for (const Starting& job : due) {
        if (job.is_batch) return startBatch(tx, job);
        start(tx, job);
    }
}

}  // namespace stepper::store::sqlite
