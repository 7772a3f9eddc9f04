#include "core/store/memory/jobs.h"

#include <algorithm>
#include <limits>

namespace stepper::store {
namespace {

// No job is put off for longer.
constexpr milliseconds kMostDelay = std::chrono::hours{24};

bool isBusy(JobState s) { return s == JobState::Ready || s == JobState::Delayed || s == JobState::Leased; }

bool waitsForItself(JobState s) { return s == JobState::Ready || s == JobState::Delayed; }
bool isScheduled(const MemoryJob& job) {
    const MemoryJob& whole = job.batch ? *job.batch : job;
    return whole.shown.state == JobState::Scheduled;
}

bool isWanted(const MemoryJob& of, const RetryFilter& filter) {
    const Job& job = of.shown;
    const auto has = [&](JobState s) { return std::ranges::find(filter.states, s) != filter.states.end(); };
    const bool state = job.isBatch() ? has(JobState::Failed) && keepsLonger(job) : has(job.state);
    return state && !of.background && job.retried_as.empty() &&
           filter.tenant.value_or(job.tenant) == job.tenant;
}

bool waits(JobState s) { return waitsForItself(s) || s == JobState::Held || s == JobState::Following; }

}  // namespace

void Changes::tell(Listener& listener) const {
    for (const auto& id : revoked) listener.leaseRevoked(id);
    for (const auto& id : jobs) listener.jobChanged(id);
    for (const auto& key : answers) listener.answerChanged(key);
    for (const Lane lane : {Lane::Live, Lane::Batch, Lane::Suspect})
        if (work[lane]) listener.workAvailable(lane);
}

MemoryJobs::MemoryJobs(const Clock& clock, const StoreTime& time, CrashPolicy crashes, Changes& changes)
    : clock_(clock), time_(time), crashes_(std::move(crashes)), changes_(changes) {}

WallTime MemoryJobs::now() const { return WallTime{milliseconds{time_.now()}}; }

SteadyTime MemoryJobs::createdAt(const MemoryJob& job) const {
    return clock_.now() - std::chrono::floor<milliseconds>(now() - job.since);
}

MemoryJob* MemoryJobs::find(std::string_view id) {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : &found->second;
}

MemoryJob* MemoryJobs::flight(const std::string& cache_key) {
    const auto found = flights_.find(cache_key);
    return found == flights_.end() ? nullptr : found->second;
}

MemoryJob* MemoryJobs::leased(const Lease& lease) {
    MemoryJob* job = find(lease.id);
    const bool held = job && job->shown.state == JobState::Leased && job->shown.fence == lease.fence;
    return held ? job : nullptr;
}

MemoryJob* MemoryJobs::nextReady(Lane lane) {
    auto& from = lanes_[lane];
    const auto& ready = from.ready;
    if (ready.empty()) {
        from.turns.forget();
        return nullptr;
    }
    const int best = std::get<int>(ready.begin()->first);
    constexpr int64_t kYoungest = std::numeric_limits<int64_t>::max();
    const auto look = [&](const std::optional<std::string>& behind) -> std::optional<Turns::Waiting> {
        const auto first = behind ? ready.upper_bound({best, *behind, kYoungest}) : ready.begin();
        if (first == ready.end()) return {};
        const auto& [priority, tenant, age] = first->first;
        if (priority != best) return {};
        return Turns::Waiting{tenant, age};
    };
    const auto next = from.turns.next(best, look);
    if (!next) return nullptr;
    MemoryJob* job = ready.at({best, next->tenant, next->job});
    from.turns.charge(costOf(job->request.size()));
    return job;
}

MemoryJob* MemoryJobs::oldestFinal(bool kept_longer) {
    const Final& jobs = final_[kept_longer];
    return jobs.empty() ? nullptr : jobs.begin()->second;
}

std::vector<std::string> MemoryJobs::retryable(const RetryFilter& filter) const {
    const WallTime since = filter.within ? now() - *filter.within : WallTime::min();
    const WallTime until = now() - filter.not_within;
    std::map<Moment, std::string> found;
    for (const Final& jobs : final_)
        for (auto it = jobs.lower_bound({since, 0}); it != jobs.end() && it->first.first <= until; ++it)
            if (isWanted(*it->second, filter)) found.emplace(it->first, it->second->shown.id);
    std::vector<std::string> out;
    for (auto& [moment, id] : found)
        if (static_cast<int>(out.size()) < filter.limit) out.push_back(std::move(id));
    return out;
}

MemoryJob& MemoryJobs::add(MemoryJob added) {
    const std::string id = added.shown.id;
    MemoryJob& job = jobs_.emplace(id, std::move(added)).first->second;
    job.age = job.shown.place = ++last_age_;
    job.shown.version = 1;
    job.shown.created = job.shown.updated = now();
    job.since = job.shown.run_at.value_or(now());
    const JobState state = job.shown.state;
    if (isFinal(state)) job.shown.finished = now();
    if (!job.shown.cache_key.empty() && !isFinal(state) && state != JobState::Following && !isScheduled(job))
        flights_.emplace(job.shown.cache_key, &job);
    if (job.batch)
        job.batch->items.emplace(job.age, &job);
    else
        listed_.emplace(job.age, &job);
    place(job);
    return job;
}

std::vector<MemoryJob*> MemoryJobs::overdue(int max, milliseconds max_wait) const {
    std::vector<MemoryJob*> out;
    const auto full = [&] { return static_cast<int>(out.size()) >= max; };
    for (const auto& [place, job] : limited_) {
        if (full() || place.first > clock_.now()) break;
        out.push_back(job);
    }
    for (const auto& [place, job] : waiting_) {
        if (full() || place.first > now() - max_wait) break;
        if (std::ranges::find(out, job) == out.end()) out.push_back(job);
    }
    return out;
}

std::optional<milliseconds> MemoryJobs::nextOverdue(milliseconds max_wait) const {
    std::optional<milliseconds> soonest;
    const auto consider = [&](auto left) {
        const auto due = std::max(std::chrono::ceil<milliseconds>(left), milliseconds{0});
        soonest = std::min(soonest.value_or(due), due);
    };
    if (!limited_.empty()) consider(limited_.begin()->first.first - clock_.now());
    if (!waiting_.empty()) consider(waiting_.begin()->first.first + max_wait - now());
    for (const auto& lane : lanes_)
        if (!lane.scheduled.empty()) consider(lane.scheduled.begin()->first.first - now());
    return soonest;
}

const MemoryJobs::KnownRequest* MemoryJobs::known(const std::string& idempotency_key) const {
    const auto found = requests_.find(idempotency_key);
    return found == requests_.end() ? nullptr : &found->second;
}

void MemoryJobs::remember(MemoryJob& job, const std::string& idempotency_key, const std::string& digest) {
    if (idempotency_key.empty()) return;
    requests_.emplace(idempotency_key, KnownRequest{digest, &job});
    job.idempotency_keys.push_back(idempotency_key);
}

void MemoryJobs::remember(const CachedAnswer& answer, const std::string& idempotency_key,
                          const std::string& digest) {
    if (!idempotency_key.empty())
        requests_.emplace(idempotency_key, KnownRequest{digest, nullptr, answer, now()});
}

int MemoryJobs::forgetAnswers(WallTime used_before, int max) {
    int left = max;
    std::erase_if(requests_, [&](const auto& known) {
        return known.second.answer && known.second.used < used_before && left > 0 && left-- > 0;
    });
    return max - left;
}

void MemoryJobs::change(MemoryJob& job, const std::function<void()>& edit) {
    const JobState before = job.shown.state;
    displace(job);
    edit();
    place(job);
    if (job.shown.state != before) touch(job);
}

void MemoryJobs::touch(MemoryJob& job) {
    ++job.shown.version;
    job.shown.updated = now();
    changes_.jobs.insert(job.shown.id);
}

void MemoryJobs::place(MemoryJob& job) {
    count(job, +1);
    const Job& shown = job.shown;
    if (waits(shown.state)) {
        changes_.work[shown.lane] = true;
        if (job.deadline) limited_.emplace(std::pair{*job.deadline, job.age}, &job);
        if (waitsForItself(shown.state)) waiting_.emplace(Moment{job.since, job.age}, &job);
    }
    switch (shown.state) {
        case JobState::Ready:
            queue(job).ready.emplace(std::tuple{shown.priority, shown.tenant, job.age}, &job);
            break;
        case JobState::Delayed: queue(job).delayed.emplace(Moment{*shown.run_at, job.age}, &job); break;
        case JobState::Scheduled:
            changes_.work[shown.lane] = true;
            queue(job).scheduled.emplace(Moment{*shown.run_at, job.age}, &job);
            break;
        case JobState::Leased: leases_.emplace(std::pair{job.lease_until, job.age}, &job); break;
        case JobState::Held: job.batch->held.emplace(std::pair{shown.priority, job.age}, &job); break;
        case JobState::Following:
            following_[shown.cache_key].emplace(std::pair{job.batch != nullptr, job.age}, &job);
            break;
        case JobState::Open: break;
        case JobState::Done:
        case JobState::Substituted:
        case JobState::Failed:
        case JobState::Cancelled:
            if (!job.batch) final_[keepsLonger(shown)].emplace(Moment{*shown.finished, job.age}, &job);
            break;
    }
}

void MemoryJobs::displace(MemoryJob& job) {
    count(job, -1);
    const Job& shown = job.shown;
    if (waits(shown.state)) {
        if (job.deadline) limited_.erase({*job.deadline, job.age});
        waiting_.erase({job.since, job.age});
    }
    switch (shown.state) {
        case JobState::Ready: queue(job).ready.erase({shown.priority, shown.tenant, job.age}); break;
        case JobState::Delayed: queue(job).delayed.erase({*shown.run_at, job.age}); break;
        case JobState::Scheduled: queue(job).scheduled.erase({*shown.run_at, job.age}); break;
        case JobState::Leased: leases_.erase({job.lease_until, job.age}); break;
        case JobState::Held: job.batch->held.erase({shown.priority, job.age}); break;
        case JobState::Following: {
            const auto flight = following_.find(shown.cache_key);
            flight->second.erase({job.batch != nullptr, job.age});
            if (flight->second.empty()) following_.erase(flight);
            break;
        }
        case JobState::Open: break;
        case JobState::Done:
        case JobState::Substituted:
        case JobState::Failed:
        case JobState::Cancelled:
            if (!job.batch) final_[keepsLonger(shown)].erase({*shown.finished, job.age});
            break;
    }
}

void MemoryJobs::count(const MemoryJob& job, int by) {
    if (job.batch && isBusy(job.shown.state)) job.batch->shown.busy += by;
    LaneStats& lane = counts_.lanes[job.shown.lane];
    switch (job.shown.state) {
        case JobState::Ready: lane.ready += by; break;
        case JobState::Delayed:
        case JobState::Scheduled: lane.delayed += by; break;
        case JobState::Leased: lane.leased += by; break;
        case JobState::Held: counts_.held += by; break;
        case JobState::Following: counts_.following += by; break;
        default: break;
    }
}

void MemoryJobs::makeReady(MemoryJob& job) {
    change(job, [&] {
        job.shown.state = JobState::Ready;
        job.shown.run_at.reset();
    });
}

void MemoryJobs::makeDueReady(Lane lane) {
    auto& delayed = lanes_[lane].delayed;
    while (!delayed.empty() && delayed.begin()->first.first <= now()) makeReady(*delayed.begin()->second);
}

MemoryJob* MemoryJobs::nextToStart(Lane lane) {
    const auto& scheduled = lanes_[lane].scheduled;
    const bool due = !scheduled.empty() && scheduled.begin()->first.first <= now();
    return due ? scheduled.begin()->second : nullptr;
}

void MemoryJobs::start(MemoryJob& job) {
    const std::string& key = job.shown.cache_key;
    MemoryJob* flying = flight(key);
    if (flying && !job.batch) urge(*flying, job.shown.priority);
    change(job, [&] {
        job.shown.state = flying ? JobState::Following : job.batch ? JobState::Held : JobState::Ready;
        job.shown.run_at.reset();
    });
    if (!flying && !key.empty()) flights_.emplace(key, &job);
}

void MemoryJobs::open(MemoryJob& batch) {
    change(batch, [&] {
        batch.shown.state = JobState::Open;
        batch.shown.run_at.reset();
    });
    advance(batch);
}

void MemoryJobs::lease(MemoryJob& job, milliseconds lease) {
    change(job, [&] {
        job.shown.state = JobState::Leased;
        job.shown.run_at.reset();
        ++job.shown.fence;
        job.lease_until = clock_.now() + lease;
    });
    if (job.batch && job.batch->shown.progress == 0) setProgress(*job.batch, 1);
}

void MemoryJobs::extend(MemoryJob& job, milliseconds lease) {
    change(job, [&] { job.lease_until = clock_.now() + lease; });
}

void MemoryJobs::setProgress(MemoryJob& job, int progress) {
    if (job.shown.progress == progress) return;
    job.shown.progress = progress;
    touch(job);
}

void MemoryJobs::postpone(MemoryJob& job, const Postponement& p) {
    change(job, [&] {
        Job& shown = job.shown;
        shown.state = JobState::Ready;
        shown.lane = job.home;
        shown.crashes = 0;
        if (p.attempt_failed) ++shown.attempts;
        if (!p.meta.empty()) shown.meta = p.meta;
        if (p.delay <= milliseconds{0}) return;
        shown.state = JobState::Delayed;
        shown.run_at = now() + std::min(p.delay, kMostDelay);
    });
}

void MemoryJobs::join(MemoryJob& job, int priority) {
    ++job.shown.wanted_by;
    job.background = false;
    urge(job, priority);
}

void MemoryJobs::urge(MemoryJob& job, int priority) {
    if (job.shown.state == JobState::Leased) return;
    change(job, [&] {
        Job& shown = job.shown;
        job.home = Lane::Live;
        shown.priority = std::min(shown.priority, priority);
        if (shown.lane == Lane::Batch) shown.lane = Lane::Live;
        if (shown.state == JobState::Held) shown.state = JobState::Ready;
    });
}

void MemoryJobs::setFinal(MemoryJob& job, JobState state) {
    change(job, [&] {
        job.shown.state = state;
        job.shown.run_at.reset();
        job.shown.finished = now();
    });
}

void MemoryJobs::end(MemoryJob& job, JobState state, const std::string& result, const std::string& meta,
                     bool alone) {
    const bool leads = flight(job.shown.cache_key) == &job;
    setFinal(job, state);
    job.shown.result = result;
    job.shown.meta = meta;
    if (leads) {
        const std::string key = job.shown.cache_key;
        flights_.erase(key);
        if (alone || state == JobState::Cancelled)
            handOver(key);
        else
            while (MemoryJob* follower = firstFollower(key)) end(*follower, state, result, meta);
    }
    if (!job.batch) return;
    ++(isDone(state) ? job.batch->shown.done : job.batch->shown.failed);
    touch(*job.batch);
    advance(*job.batch);
}

void MemoryJobs::advance(MemoryJob& batch) {
    if (batch.shown.state != JobState::Open) return;
    while (batch.shown.busy < batch.concurrency && !batch.held.empty())
        makeReady(*batch.held.begin()->second);
    if (batch.shown.done + batch.shown.failed == batch.shown.total) setFinal(batch, JobState::Done);
}

MemoryJob* MemoryJobs::firstFollower(const std::string& cache_key) {
    const auto followers = following_.find(cache_key);
    return followers == following_.end() ? nullptr : followers->second.begin()->second;
}

void MemoryJobs::handOver(const std::string& cache_key) {
    MemoryJob* heir = firstFollower(cache_key);
    if (!heir) return;
    change(*heir, [&] { heir->shown.state = heir->batch ? JobState::Held : JobState::Ready; });
    flights_.emplace(cache_key, heir);
    if (heir->batch) advance(*heir->batch);
}

void MemoryJobs::cancel(MemoryJob& job) {
    if (job.shown.state == JobState::Leased) changes_.revoked.insert(job.shown.id);
    ++job.shown.fence;
    end(job, JobState::Cancelled, "", job.shown.meta);
}

void MemoryJobs::cancelBatch(MemoryJob& batch) {
    setFinal(batch, JobState::Cancelled);
    // The youngest first, so that followers go before the leader that would hand its flight to them.
    const JobsByAge items = batch.items;
    for (auto it = items.rbegin(); it != items.rend(); ++it) {
        MemoryJob* item = it->second;
        if (isFinal(item->shown.state)) continue;
        if (item->shown.wanted_by <= 1) {
            cancel(*item);
            continue;
        }
        detach(*item);
        ++batch.shown.failed;
    }
}

void MemoryJobs::detach(MemoryJob& item) {
    item.batch->items.erase(item.age);
    listed_.emplace(item.age, &item);
    change(item, [&] {
        item.batch = nullptr;
        --item.shown.wanted_by;
    });
}

int MemoryJobs::reap() {
    int reaped = 0;
    for (; !leases_.empty() && leases_.begin()->first.first <= clock_.now(); ++reaped) {
        MemoryJob& job = *leases_.begin()->second;
        changes_.revoked.insert(job.shown.id);
        ++job.shown.fence;
        ++job.shown.crashes;
        if (job.shown.crashes >= crashes_.fail_after) {
            end(job, JobState::Failed, "", crashes_.failed_meta);
            continue;
        }
        change(job, [&] {
            job.shown.state = JobState::Ready;
            if (job.shown.crashes >= crashes_.suspect_after) job.shown.lane = Lane::Suspect;
        });
    }
    return reaped;
}

void MemoryJobs::purge(MemoryJob& job) {
    const JobsByAge items = job.items;
    for (const auto& [age, item] : items) {
        if (item->shown.wanted_by > 1)
            detach(*item);
        else
            erase(*item);
    }
    erase(job);
}

void MemoryJobs::erase(MemoryJob& job) {
    displace(job);
    listed_.erase(job.age);
    for (const auto& key : job.idempotency_keys) requests_.erase(key);
    changes_.jobs.insert(job.shown.id);
    jobs_.erase(jobs_.find(job.shown.id));
}

Stats MemoryJobs::stats() const {
    Stats all = counts_;
    for (const Lane lane : kLanes)
        for (const auto& [key, job] : lanes_[lane].ready)
            all.lanes[lane].oldest_ready = std::max(
                all.lanes[lane].oldest_ready, std::chrono::duration_cast<milliseconds>(now() - job->since));
    return all;
}

std::optional<milliseconds> MemoryJobs::nextDue(Lane lane) const {
    const LaneQueue& queue = lanes_[lane];
    std::optional<milliseconds> soonest;
    for (const auto* jobs : {&queue.delayed, &queue.scheduled}) {
        if (jobs->empty()) continue;
        const auto due = std::chrono::duration_cast<milliseconds>(jobs->begin()->first.first - now());
        soonest = std::min(soonest.value_or(due), due);
    }
    return soonest;
}

}  // namespace stepper::store
