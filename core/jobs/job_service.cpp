#include "core/jobs/job_service.h"

#include "core/base/id.h"
#include "core/jobs/identity.h"
#include "core/telemetry/log.h"

namespace stepper::jobs {
namespace {

SchedulerOptions schedulerOptions(const RunnerDeps& deps) {
    const config::Config& config = deps.snapshots.get()->config;
    return {config.queue.workers, config.batch.max_running * config.batch.max_concurrency, config.queue.lease,
            [&engine = deps.engine] { return engine.roomForJobs(); },
            [&snapshots = deps.snapshots] { return snapshots.get()->config.queue.max_wait; }};
}

cache::Options cacheOptions(const config::Config& config) {
    cache::Options out;
    out.serve_stale = config.cache.stale_while_revalidate;
    return out;
}

store::NewJob newJob(const Submission& wanted) {
    store::NewJob job;
    job.id = newId();
    job.kind = name(wanted.kind);
    job.request = wanted.body;
    job.tenant = wanted.tenant;
    job.cache_key = wanted.cache_key;
    job.accept_cached = wanted.read_cache;
    job.priority = wanted.priority;
    job.time_limit = wanted.time_limit;
    job.start_in = wanted.start_in;
    job.only_repeat = wanted.only_repeat;
    job.idempotency_key = wanted.idempotency_key;
    if (!job.idempotency_key.empty()) job.request_digest = meaningOf(job.kind, wanted.body);
    return job;
}

std::optional<cache::Hit> hitOf(std::optional<store::CachedAnswer> given, const Clock& clock) {
    if (!given) return std::nullopt;
    auto answer = std::make_shared<const store::CachedAnswer>(std::move(*given));
    const auto age = std::chrono::duration_cast<milliseconds>(clock.now() - answer->made_at);
    return cache::Hit{std::move(answer), false, age};
}

Submitted submitted(store::Enqueued enqueued, const Clock& clock) {
    using How = store::Enqueued::How;
    auto hit = hitOf(std::move(enqueued.answer), clock);
    switch (enqueued.how) {
        case How::Created: return {Submitted::How::Queued, std::move(enqueued.id), {}};
        case How::Coalesced: return {Submitted::How::Coalesced, std::move(enqueued.id), {}};
        case How::Repeated: return {Submitted::How::Repeated, std::move(enqueued.id), std::move(hit)};
        case How::Conflict: return {Submitted::How::Conflict, {}, {}};
        case How::NotMade: return {Submitted::How::NotMade, {}, {}};
        case How::Cached: break;
    }
    return {Submitted::How::Hit, {}, std::move(hit)};
}

bool isMeant(store::JobState item, WhichItems which) {
    switch (which) {
        case WhichItems::All: return true;
        case WhichItems::FailedAndFallback: return item != store::JobState::Done;
        case WhichItems::Failed: break;
    }
    return !store::isDone(item);
}

Result<Retried> retried(Result<store::Enqueued> enqueued, std::optional<std::pair<size_t, int>> batch) {
    if (!enqueued) return std::move(enqueued).error();
    const bool before = enqueued->how == store::Enqueued::How::Repeated;
    return Retried{before ? Retried::How::Before : Retried::How::Queued, std::move(enqueued->id), batch};
}

}  // namespace

JobService::JobService(RunnerDeps deps, const Clock& clock)
    : deps_(deps),
      clock_(clock),
      cache_(deps.store, clock, cacheOptions(deps.snapshots.get()->config)),
      runner_(std::move(deps), clock),
      scheduler_(
          deps_.store, [this](Running& task, CancelToken& cancel) { runner_.run(task, cancel); },
          schedulerOptions(deps_)),
      keeper_(deps_.store, scheduler_, [this] {
          const auto snapshot = deps_.snapshots.get();
          const auto& queue = snapshot->config.queue;
          return store::Retention(queue.retention, queue.retention_failed);
      }) {
    deps_.store.setListener(this);
    deps_.engine.onRoom([this] { scheduler_.roomMade(); });
}

JobService::~JobService() {
    drain(std::chrono::steady_clock::now());
    deps_.engine.onRoom({});
    deps_.store.setListener(nullptr);
}

void JobService::start() {
    if (deps_.snapshots.get()->config.queue.workers > 0) scheduler_.start();
    keeper_.start();
}

void JobService::beginDrain(SteadyTime deadline) {
    waiters_.close();
    scheduler_.beginDrain(deadline);
}

void JobService::drain(SteadyTime deadline) {
    beginDrain(deadline);
    scheduler_.drain(deadline);
}

bool JobService::deliversOnce(RequestKind kind) const {
    const auto snapshot = deps_.snapshots.get();
    const auto& delivery = snapshot->config.cache;
    return (kind == RequestKind::Report ? delivery.reports_delivery : delivery.generate_delivery) == "once";
}

void JobService::delivered(RequestKind kind, const std::string& cache_key, std::string_view job_id) {
    if (cache_key.empty() || !deliversOnce(kind)) return;
    if (const auto done = cache_.forget(cache_key, job_id); !done)
        log::warn("a delivered answer stays in the cache until it expires",
                  {{"reason", done.error().message}});
}

Result<Submitted> JobService::submit(const Submission& wanted) {
    // An idempotency key names one job, so the store has to be asked for it first.
    if (wanted.read_cache && wanted.idempotency_key.empty() && wanted.start_in == milliseconds{0})
        if (auto hit = lookUp(wanted)) return Submitted{Submitted::How::Hit, {}, std::move(hit)};
    auto enqueued = enqueue(newJob(wanted));
    if (!enqueued) return std::move(enqueued).error();
    return submitted(std::move(enqueued).value(), clock_);
}

Result<store::Enqueued> JobService::enqueue(store::NewJob job) {
    auto enqueued = deps_.store.enqueue(job);
    if (!enqueued || enqueued->how != store::Enqueued::How::Conflict) return enqueued;
    // The key may be one that an older version remembered with the bytes of its request.
    job.request_digest = sha256Hex(job.kind + job.request);
    return deps_.store.enqueue(job);
}

std::optional<cache::Hit> JobService::lookUp(const Submission& wanted) {
    if (wanted.cache_key.empty()) return std::nullopt;
    const bool once = deliversOnce(wanted.kind);
    auto hit = cache_.find(wanted.cache_key, once);
    // A store that cannot read will say so again when it has to write.
    if (!hit || !*hit) return std::nullopt;
    // What is forgotten on delivery is not made anew for nobody.
    if ((*hit)->stale && !once && cache_.mayRefresh(wanted.cache_key, **hit)) refresh(wanted);
    return std::move(*hit);
}

void JobService::refresh(const Submission& wanted) {
    store::NewJob job = newJob(wanted);
    job.background = true;
    job.priority = store::kBackgroundPriority;
    if (const auto queued = deps_.store.enqueue(job); !queued)
        log::warn("a stale answer is not being refreshed", {{"reason", queued.error().message}});
}

Result<Submitted> JobService::submitBatch(const BatchSubmission& wanted) {
    store::NewBatch batch;
    batch.id = newId();
    batch.tenant = wanted.tenant;
    batch.meta = wanted.meta;
    batch.concurrency = wanted.concurrency;
    batch.priority = wanted.priority;
    batch.time_limit = wanted.time_limit;
    batch.start_in = wanted.start_in;
    batch.only_repeat = wanted.only_repeat;
    batch.idempotency_key = wanted.idempotency_key;
    if (!batch.idempotency_key.empty()) batch.request_digest = meaningOf("batch", wanted.body);
    for (const auto& item : wanted.items)
        batch.items.push_back({newId(), item.label, std::string(name(item.kind)), item.body, item.cache_key,
                               item.read_cache, item.priority, item.time_limit});
    auto enqueued = deps_.store.enqueueBatch(batch);
    if (enqueued && enqueued->how == store::Enqueued::How::Conflict) {
        // As for single jobs.
        batch.request_digest = sha256Hex("batch" + wanted.body);
        enqueued = deps_.store.enqueueBatch(batch);
    }
    if (!enqueued) return std::move(enqueued).error();
    return submitted(std::move(enqueued).value(), clock_);
}

Result<Retried> JobService::retry(std::string_view job_id, WhichItems which, bool once) {
    const auto job = deps_.store.job(job_id);
    if (!job) return job.error();
    if (!*job) return Retried{Retried::How::NotFound};
    if (!store::isFinal((*job)->state)) return Retried{Retried::How::NotFinal};
    const store::RunAgain again{std::string(job_id), once};
    return (*job)->isBatch() ? retryBatch(again, which) : retryJob(again);
}

Result<Retried> JobService::retryJob(const store::RunAgain& again) {
    auto stored = deps_.store.request(again.of);
    if (!stored) return stored.error();
    if (!*stored) return Retried{Retried::How::NotFound};
    store::NewJob next = std::move(**stored);
    next.id = newId();
    next.accept_cached = false;
    next.again = again;
    return retried(deps_.store.enqueue(next), {});
}

Result<Retried> JobService::retryBatch(const store::RunAgain& again, WhichItems which) {
    auto stored = deps_.store.batch(again.of);
    if (!stored) return stored.error();
    if (!*stored) return Retried{Retried::How::NotFound};
    store::NewBatch& next = (*stored)->batch;
    std::vector<store::NewItem> items;
    for (size_t i = 0; i < next.items.size(); ++i) {
        if (!isMeant((*stored)->states[i], which)) continue;
        items.push_back(std::move(next.items[i]));
        items.back().id = newId();
        items.back().accept_cached = false;
    }
    if (items.empty()) return Retried{Retried::How::NothingMeant};
    next.id = newId();
    next.meta.clear();  // it tells of items by their places
    next.items = std::move(items);
    next.again = again;
    return retried(deps_.store.enqueueBatch(next), std::pair(next.items.size(), next.concurrency));
}

}  // namespace stepper::jobs
