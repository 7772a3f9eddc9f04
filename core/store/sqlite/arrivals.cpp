#include "core/store/sqlite/arrivals.h"

#include "core/store/sqlite/answers.h"
#include "core/store/sqlite/endings.h"

namespace stepper::store::sqlite {

namespace {

std::optional<int64_t> deadline(const Transaction& tx, std::optional<milliseconds> limit) {
    if (!limit) return {};
    return after(tx.now, *limit);
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

int64_t add(Transaction& tx, const NewJob& job, bool follows) {
    const int64_t seq = insert(tx, {.id = job.id,
                                    .kind = job.kind,
                                    .tenant = job.tenant,
                                    .cache_key = job.cache_key,
                                    .state = follows ? JobState::Following : JobState::Ready,
                                    .priority = job.priority,
                                    .wanted_by = job.background ? 0 : 1,
                                    .background = job.background,
                                    .flies = !follows && !job.cache_key.empty(),
                                    .deadline = deadline(tx, job.time_limit)});
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
    rememberUse(tx.db, job.idempotency_key, job.request_digest, add(tx, job, true));
    return {Enqueued::How::Coalesced, job.id, {}};
}

// Whether it is final at once.
bool addItem(Transaction& tx, int64_t batch, const NewBatch& in, int64_t index) {
    const NewItem& item = in.items[static_cast<size_t>(index)];
    NewRow row{.id = item.id,
               .kind = item.kind,
               .tenant = in.tenant,
               .cache_key = item.cache_key,
               .lane = Lane::Batch,
               .state = JobState::Held,
               .priority = item.priority.value_or(in.priority),
               .deadline = deadline(tx, item.time_limit ? item.time_limit : in.time_limit),
               .parent = batch,
               .item = index,
               .label = item.label};
    const auto answer = freshAnswer(tx, item.cache_key, item.accept_cached);
    if (answer) {
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

Enqueued take(Transaction& tx, const NewJob& job) {
    if (auto answer = freshAnswer(tx, job.cache_key, job.accept_cached)) {
        rememberAnswer(tx, job.idempotency_key, job.request_digest, *answer);
        return {Enqueued::How::Cached, {}, std::move(answer)};
    }
    if (const auto flight = flightOf(tx.db, job.cache_key)) {
        const auto row = load(tx.db, *flight);
        return row ? coalesce(tx, *row, job) : Enqueued{};
    }
    rememberUse(tx.db, job.idempotency_key, job.request_digest, add(tx, job, false));
    return {Enqueued::How::Created, job.id, {}};
}

}  // namespace

Enqueued enqueue(Transaction& tx, const NewJob& job) {
    if (auto earlier = earlierUse(tx, job.id, job.idempotency_key, job.request_digest)) return *earlier;
    if (auto already = runAlready(tx.db, job.again)) return *already;
    Enqueued taken = take(tx, job);
    noteRetry(tx.db, job.again, taken.id);
    return taken;
}

Enqueued enqueueBatch(Transaction& tx, const NewBatch& batch) {
    if (auto earlier = earlierUse(tx, batch.id, batch.idempotency_key, batch.request_digest)) return *earlier;
    if (auto already = runAlready(tx.db, batch.again)) return *already;
    noteRetry(tx.db, batch.again, batch.id);
    const auto total = static_cast<int>(batch.items.size());
    const int64_t seq = insert(tx, {.id = batch.id,
                                    .tenant = batch.tenant,
                                    .lane = Lane::Batch,
                                    .state = JobState::Open,
                                    .priority = batch.priority,
                                    .total = total,
                                    .cap = std::max(1, batch.concurrency)});
    rememberUse(tx.db, batch.idempotency_key, batch.request_digest, seq);
    if (!batch.meta.empty()) setOutcome(tx.db, seq, {}, batch.meta);
    int done = 0;
    for (int i = 0; i < total && !tx.db.failed(); ++i) done += addItem(tx, seq, batch, i);
    tx.db.run("UPDATE job SET done = ?2 WHERE seq = ?1", seq, done);
    if (done == total)
        closeBatch(tx, seq);
    else
        admit(tx, seq);
    tx.effects.lanes.insert(Lane::Batch);
    return {Enqueued::How::Created, batch.id, {}};
}

}  // namespace stepper::store::sqlite
