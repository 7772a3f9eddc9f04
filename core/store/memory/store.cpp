#include "core/store/memory/store.h"

#include <algorithm>
#include <utility>

namespace stepper::store {
namespace {

constexpr int kSweepAtMost = 500;

// What a worker is given.
Claimed claimed(const MemoryJob& job, SteadyTime created) {
    Claimed c;
    c.lease = {job.shown.id, job.shown.fence};
    c.kind = job.shown.kind;
    c.request = job.request;
    c.tenant = job.shown.tenant;
    c.cache_key = job.shown.cache_key;
    c.meta = job.shown.meta;
    c.background = job.background;
    c.attempts = job.shown.attempts;
    c.created = created;
    c.deadline = job.deadline;
    return c;
}

}  // namespace

// One call: holds the lock and, without it, tells the listener what changed.
class MemoryStore::Round {
public:
    explicit Round(MemoryStore& store) : store_(store), lock_(store.mutex_) {}
    Round(const Round&) = delete;
    Round& operator=(const Round&) = delete;
    ~Round() {
        const Changes changes = std::exchange(store_.changes_, {});
        lock_.unlock();
        std::shared_lock listening(store_.listener_mutex_);
        if (store_.listener_) changes.tell(*store_.listener_);
    }

private:
    MemoryStore& store_;
    std::unique_lock<std::mutex> lock_;
};

MemoryStore::MemoryStore(const Clock& clock, CrashPolicy crashes)
    : clock_(clock), time_(clock, ""), jobs_(clock, time_, std::move(crashes), changes_) {}

void MemoryStore::setListener(Listener* listener) {
    std::unique_lock lock(listener_mutex_);
    listener_ = listener;
}

std::optional<Enqueued> MemoryStore::repeated(const std::string& id, const std::string& idempotency_key,
                                              const std::string& request_digest) {
    if (jobs_.find(id)) return Enqueued{Enqueued::How::Repeated, id, {}};
    const auto* known = jobs_.known(idempotency_key);
    if (!known) return std::nullopt;
    if (known->digest != request_digest) return Enqueued{Enqueued::How::Conflict, "", {}};
    if (known->answer) return Enqueued{Enqueued::How::Repeated, "", known->answer};
    return Enqueued{Enqueued::How::Repeated, known->job->shown.id, {}};
}

std::optional<SteadyTime> MemoryStore::deadline(std::optional<milliseconds> time_limit,
                                                milliseconds start_in) const {
    if (!time_limit) return std::nullopt;
    return clock_.now() + start_in + *time_limit;
}

std::optional<WallTime> MemoryStore::runAt(milliseconds start_in) const {
    if (start_in <= milliseconds{0}) return std::nullopt;
    return jobs_.now() + start_in;
}

std::optional<Enqueued> MemoryStore::runAlready(const RunAgain& again) {
    const MemoryJob* job = again.once ? jobs_.find(again.of) : nullptr;
    if (!job || job->shown.retried_as.empty()) return std::nullopt;
    return Enqueued{Enqueued::How::Repeated, job->shown.retried_as, {}};
}

void MemoryStore::noteRetry(const RunAgain& again, const std::string& id) {
    MemoryJob* job = jobs_.find(again.of);
    if (!job) return;
    job->shown.retried_as = id;
    ++job->shown.version;
}

Result<Enqueued> MemoryStore::enqueue(const NewJob& job) {
    const Round round(*this);
    if (auto known = repeated(job.id, job.idempotency_key, job.request_digest)) return *known;
    if (auto known = runAlready(job.again)) return *known;
    if (job.only_repeat) return Enqueued{Enqueued::How::NotMade, "", {}};
    Enqueued taken = take(job);
    noteRetry(job.again, taken.id);
    return taken;
}

Enqueued MemoryStore::take(const NewJob& job) {
    if (job.start_in > milliseconds{0}) {
        add(job, JobState::Scheduled);
        return Enqueued{Enqueued::How::Created, job.id, {}};
    }
    if (const auto* answer = job.accept_cached ? fresh(job.cache_key) : nullptr) {
        jobs_.remember(*answer, job.idempotency_key, job.request_digest);
        return Enqueued{Enqueued::How::Cached, "", *answer};
    }
    MemoryJob* flying = jobs_.flight(job.cache_key);
    if (!flying) {
        add(job, JobState::Ready);
        return Enqueued{Enqueued::How::Created, job.id, {}};
    }
    if (job.background) return Enqueued{Enqueued::How::Coalesced, flying->shown.id, {}};
    if (!flying->deadline && !job.time_limit) {
        jobs_.join(*flying, job.priority);
        jobs_.remember(*flying, job.idempotency_key, job.request_digest);
        return Enqueued{Enqueued::How::Coalesced, flying->shown.id, {}};
    }
    // With the same job it would share the other's time limit.
    jobs_.urge(*flying, job.priority);
    add(job, JobState::Following);
    return Enqueued{Enqueued::How::Coalesced, job.id, {}};
}

void MemoryStore::add(const NewJob& job, JobState state) {
    MemoryJob added;
    added.shown.id = job.id;
    added.shown.kind = job.kind;
    added.shown.tenant = job.tenant;
    added.shown.cache_key = job.cache_key;
    added.shown.priority = job.priority;
    added.shown.wanted_by = job.background ? 0 : 1;
    added.request = job.request;
    added.background = job.background;
    added.accept_cached = job.accept_cached;
    added.time_limit = job.time_limit;
    added.deadline = deadline(job.time_limit, job.start_in);
    added.shown.state = state;
    added.shown.run_at = runAt(job.start_in);
    jobs_.remember(jobs_.add(std::move(added)), job.idempotency_key, job.request_digest);
}

Result<Enqueued> MemoryStore::enqueueBatch(const NewBatch& batch) {
    const Round round(*this);
    if (auto known = repeated(batch.id, batch.idempotency_key, batch.request_digest)) return *known;
    if (auto known = runAlready(batch.again)) return *known;
    if (batch.only_repeat) return Enqueued{Enqueued::How::NotMade, "", {}};
    auto taken = take(batch);
    if (taken) noteRetry(batch.again, taken->id);
    return taken;
}

Result<Enqueued> MemoryStore::take(const NewBatch& batch) {
    std::set<std::string_view> ids{batch.id};
    for (const NewItem& item : batch.items)
        if (jobs_.find(item.id) || !ids.insert(item.id).second)
            return Error{ErrorClass::InvalidRequest, "Batch " + batch.id + " was not stored: the id " +
                                                         item.id +
                                                         " of an item is taken; give every item a new id."};

    MemoryJob added;
    added.shown.id = batch.id;
    added.shown.tenant = batch.tenant;
    added.shown.run_at = runAt(batch.start_in);
    added.shown.state = added.shown.run_at ? JobState::Scheduled : JobState::Open;
    added.shown.lane = added.home = Lane::Batch;
    added.shown.priority = batch.priority;
    added.shown.meta = batch.meta;
    added.shown.total = static_cast<int>(batch.items.size());
    added.concurrency = batch.concurrency;
    MemoryJob& parent = jobs_.add(std::move(added));
    jobs_.remember(parent, batch.idempotency_key, batch.request_digest);
    for (const NewItem& item : batch.items) addItem(parent, item, batch);
    jobs_.advance(parent);
    return Enqueued{Enqueued::How::Created, batch.id, {}};
}

void MemoryStore::addItem(MemoryJob& batch, const NewItem& item, const NewBatch& wanted) {
    MemoryJob added;
    added.shown.id = item.id;
    added.shown.kind = item.kind;
    added.shown.tenant = batch.shown.tenant;
    added.shown.cache_key = item.cache_key;
    added.shown.state = JobState::Held;
    added.shown.lane = added.home = Lane::Batch;
    added.shown.priority = item.priority.value_or(wanted.priority);
    added.request = item.request;
    added.time_limit = item.time_limit ? item.time_limit : wanted.time_limit;
    added.deadline = deadline(added.time_limit, wanted.start_in);
    added.accept_cached = item.accept_cached;
    added.batch = &batch;
    added.label = item.label;
    if (batch.shown.state == JobState::Scheduled) {
        jobs_.add(std::move(added)).since = *batch.shown.run_at;
        return;
    }
    if (const auto* answer = item.accept_cached ? fresh(item.cache_key) : nullptr) {
        added.shown.state = JobState::Done;
        added.shown.result = answer->result;
        added.shown.meta = answer->meta;
        ++batch.shown.done;
    } else if (jobs_.flight(item.cache_key)) {
        added.shown.state = JobState::Following;
    }
    jobs_.add(std::move(added));
}

Result<Claims> MemoryStore::claim(Lane lane, int max, milliseconds lease) {
    const Round round(*this);
    startDue(lane);
    jobs_.makeDueReady(lane);
    Claims claims;
    while (static_cast<int>(claims.jobs.size()) < max) {
        MemoryJob* job = jobs_.nextReady(lane);
        if (!job) break;
        jobs_.lease(*job, lease);
        claims.jobs.push_back(claimed(*job, jobs_.createdAt(*job)));
    }
    claims.next_due = jobs_.nextDue(lane);
    return claims;
}

void MemoryStore::startDue(Lane lane) {
    while (MemoryJob* job = jobs_.nextToStart(lane)) {
        if (!job->shown.isBatch()) {
            start(*job);
            continue;
        }
        const JobsByAge items = job->items;
        for (const auto& [age, item] : items)
            if (!isFinal(item->shown.state)) start(*item);
        jobs_.open(*job);
    }
}

void MemoryStore::start(MemoryJob& job) {
    if (const auto* answer = job.accept_cached ? fresh(job.shown.cache_key) : nullptr)
        jobs_.end(job, JobState::Done, answer->result, answer->meta);
    else
        jobs_.start(job);
}

Result<Claims> MemoryStore::claimOverdue(int max, milliseconds lease, milliseconds max_wait) {
    const Round round(*this);
    Claims out;
    // A lane that has no room is not asked, and their time runs all the same.
    for (const Lane lane : {Lane::Live, Lane::Batch, Lane::Suspect}) startDue(lane);
    for (MemoryJob* job : jobs_.overdue(max, max_wait)) {
        jobs_.lease(*job, lease);
        out.jobs.push_back(claimed(*job, jobs_.createdAt(*job)));
    }
    out.next_due = jobs_.nextOverdue(max_wait);
    return out;
}

Result<std::vector<std::string>> MemoryStore::heartbeat(std::span<const Beat> beats, milliseconds lease) {
    const Round round(*this);
    std::vector<std::string> lost;
    for (const Beat& beat : beats) {
        MemoryJob* job = jobs_.leased(beat.lease);
        if (!job) {
            lost.push_back(beat.lease.id);
            continue;
        }
        jobs_.extend(*job, lease);
        jobs_.setProgress(*job, beat.progress);
    }
    return lost;
}

Result<bool> MemoryStore::finish(const Lease& lease, const Ending& ending) {
    const Round round(*this);
    MemoryJob* job = jobs_.leased(lease);
    if (!job) return false;
    keepAnswer(*job, ending);
    jobs_.end(*job, ending.state, ending.result, ending.meta, ending.alone);
    return true;
}

void MemoryStore::keepAnswer(const MemoryJob& job, const Ending& ending) {
    const std::string& key = job.shown.cache_key;
    if (key.empty()) return;
    const SteadyTime now = clock_.now();
    if (ending.cache) {
        answers_.insert_or_assign(key, CachedAnswer{job.shown.id,
                                                    job.shown.kind,
                                                    ending.result,
                                                    ending.meta,
                                                    now,
                                                    now + ending.cache->fresh_for,
                                                    now + ending.cache->ttl,
                                                    {}});
        changes_.answers.insert(key);
        return;
    }
    const auto there = answers_.find(key);
    if (ending.refresh_pause <= milliseconds{0} || there == answers_.end()) return;
    there->second.refresh_after = now + ending.refresh_pause;
    changes_.answers.insert(key);
}

Result<bool> MemoryStore::postpone(const Lease& lease, const Postponement& p) {
    const Round round(*this);
    MemoryJob* job = jobs_.leased(lease);
    if (!job) return false;
    jobs_.postpone(*job, p);
    return true;
}

Result<int> MemoryStore::reap() {
    const Round round(*this);
    return jobs_.reap();
}

Result<Dropped> MemoryStore::drop(std::string_view id, bool force) {
    const Round round(*this);
    MemoryJob* job = jobs_.find(id);
    if (!job) return Dropped{Dropped::How::NotFound};
    Job& shown = job->shown;
    shown.wanted_by = std::max(0, shown.wanted_by - 1);
    const bool final = isFinal(shown.state);
    // A final item goes with its batch, which wants it until then.
    const bool kept = final && job->batch;
    if (kept) shown.wanted_by = std::max(1, shown.wanted_by);
    if (kept || (shown.wanted_by > 0 && !force)) return Dropped{Dropped::How::StillWanted, shown.wanted_by};
    if (final) {
        jobs_.purge(*job);
        return Dropped{Dropped::How::Purged};
    }
    if (shown.isBatch())
        jobs_.cancelBatch(*job);
    else
        jobs_.cancel(*job);
    return Dropped{Dropped::How::Cancelled};
}

Result<std::optional<Job>> MemoryStore::job(std::string_view id) {
    const Round round(*this);
    const MemoryJob* job = jobs_.find(id);
    if (!job) return std::optional<Job>();
    Job shown = job->shown;
    time_.show(shown);
    return std::optional(std::move(shown));
}

Result<std::optional<NewJob>> MemoryStore::request(std::string_view id) {
    const Round round(*this);
    const MemoryJob* job = jobs_.find(id);
    if (!job) return std::optional<NewJob>();
    NewJob again;
    again.id = job->shown.id;
    again.kind = job->shown.kind;
    again.request = job->request;
    again.tenant = job->shown.tenant;
    again.priority = job->shown.priority;
    again.cache_key = job->shown.cache_key;
    again.time_limit = job->time_limit;
    return std::optional(again);
}

Result<std::optional<StoredBatch>> MemoryStore::batch(std::string_view id) {
    const Round round(*this);
    const MemoryJob* job = jobs_.find(id);
    if (!job || !job->shown.isBatch()) return std::optional<StoredBatch>();
    StoredBatch out;
    out.batch.id = job->shown.id;
    out.batch.tenant = job->shown.tenant;
    out.batch.meta = job->shown.meta;
    out.batch.priority = job->shown.priority;
    out.batch.concurrency = job->concurrency;
    for (const auto& [age, item] : job->items) {
        out.batch.items.push_back({item->shown.id, item->label, item->shown.kind, item->request,
                                   item->shown.cache_key, true, item->shown.priority, item->time_limit});
        out.states.push_back(item->shown.state);
    }
    return std::optional(std::move(out));
}

Result<std::vector<std::string>> MemoryStore::retryable(const RetryFilter& filter) {
    const Round round(*this);
    return jobs_.retryable(filter);
}

Result<std::vector<BatchItem>> MemoryStore::items(std::string_view batch_id) {
    const Round round(*this);
    std::vector<BatchItem> items;
    const MemoryJob* batch = jobs_.find(batch_id);
    if (!batch) return items;
    for (const auto& [age, item] : batch->items)
        items.push_back({item->label, item->shown.state, item->shown.result, item->shown.meta});
    return items;
}

Result<std::vector<Job>> MemoryStore::list(const ListFilter& filter) {
    const Round round(*this);
    std::vector<Job> jobs;
    const auto& listed = jobs_.listed();
    const auto end = filter.before ? listed.lower_bound(*filter.before) : listed.end();
    for (auto it = std::make_reverse_iterator(end);
         it != listed.rend() && static_cast<int>(jobs.size()) < filter.limit; ++it) {
        const Job& shown = it->second->shown;
        const auto& states = filter.states;
        if (!states.empty() && std::find(states.begin(), states.end(), shown.state) == states.end()) continue;
        if (filter.at_work && shown.state == JobState::Open && shown.isAtWork() != *filter.at_work) continue;
        jobs.push_back(shown);
        time_.show(jobs.back());
        jobs.back().result.clear();
        jobs.back().meta.clear();
    }
    return jobs;
}

Result<Stats> MemoryStore::stats() {
    const Round round(*this);
    return jobs_.stats();
}

const CachedAnswer* MemoryStore::unexpired(std::string_view key) const {
    const auto found = answers_.find(key);
    return found != answers_.end() && found->second.expires > clock_.now() ? &found->second : nullptr;
}

const CachedAnswer* MemoryStore::fresh(std::string_view key) const {
    const CachedAnswer* answer = unexpired(key);
    return answer && answer->fresh_until > clock_.now() ? answer : nullptr;
}

Result<std::optional<CachedAnswer>> MemoryStore::cached(std::string_view key) {
    const Round round(*this);
    const CachedAnswer* answer = unexpired(key);
    return answer ? std::optional(*answer) : std::nullopt;
}

Result<bool> MemoryStore::forget(std::string_view key, std::string_view made_by) {
    const Round round(*this);
    const CachedAnswer* answer = unexpired(key);
    if (!answer || (!made_by.empty() && answer->job_id != made_by)) return false;
    changes_.answers.insert(std::string(key));
    answers_.erase(answers_.find(key));
    return true;
}

Result<void> MemoryStore::putNotes(std::span<const Note> notes) {
    const Round round(*this);
    for (const Note& note : notes) {
        if (note.text.empty())
            notes_.erase(note.name);
        else
            notes_.insert_or_assign(note.name, note.text);
    }
    return {};
}

Result<std::vector<Note>> MemoryStore::notes(std::string_view prefix, std::string_view from, size_t most) {
    const Round round(*this);
    std::vector<Note> found;
    for (auto it = notes_.lower_bound(std::max(prefix, from));
         it != notes_.end() && it->first.starts_with(prefix) && found.size() < most; ++it)
        found.push_back({it->first, it->second});
    return found;
}

Result<bool> MemoryStore::sweep(Retention retention) {
    const Round round(*this);
    const WallTime now = jobs_.now();
    int left = kSweepAtMost;
    const auto old = [&](bool failed) {
        MemoryJob* job = jobs_.oldestFinal(failed);
        const milliseconds kept = failed ? retention.failed : retention.ended;
        return job && *job->shown.finished < now - kept ? job : nullptr;
    };
    for (const bool failed : {false, true})
        for (MemoryJob* job = old(failed); job && left > 0; job = old(failed)) {
            left -= 1 + static_cast<int>(job->items.size());
            jobs_.purge(*job);
        }
    for (auto it = answers_.begin(); it != answers_.end() && left > 0;) {
        const bool expired = it->second.expires <= clock_.now();
        it = expired ? answers_.erase(it) : std::next(it);
        left -= expired;
    }
    if (left > 0) left -= jobs_.forgetAnswers(now - retention.ended, left);
    return left <= 0;
}

}  // namespace stepper::store
