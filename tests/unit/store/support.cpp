#include "tests/unit/store/support.h"

#include <algorithm>
#include <sstream>

#include <stdlib.h>

#include "core/store/memory/store.h"

namespace stepper::store {

void Recorder::workAvailable(Lane lane) {
    add(lane == Lane::Live ? "work:live" : lane == Lane::Batch ? "work:batch" : "work:suspect");
}

bool Recorder::saw(const std::string& event) {
    std::unique_lock lock(mutex_);
    return added_.wait_for(lock, 5s, [&] { return std::ranges::count(events_, event) > 0; });
}

void Recorder::clear() {
    std::lock_guard lock(mutex_);
    events_.clear();
}

void Recorder::add(const std::string& event) {
    std::lock_guard lock(mutex_);
    events_.push_back(event);
    added_.notify_all();
}

NewJob plainJob(const std::string& id, const std::string& tenant, int priority) {
    NewJob job;
    job.id = id;
    job.kind = "generate";
    job.request = "request of " + id;
    job.tenant = tenant;
    job.priority = priority;
    return job;
}

NewJob keyedJob(const std::string& id, const std::string& key) {
    NewJob job = plainJob(id);
    job.cache_key = key;
    return job;
}

NewItem plainItem(const std::string& id) { return keyedItem(id, ""); }

NewItem keyedItem(const std::string& id, const std::string& key) {
    NewItem item;
    item.id = id;
    item.label = "label of " + id;
    item.kind = "generate";
    item.request = "request of " + id;
    item.cache_key = key;
    return item;
}

NewBatch newBatch(const std::string& id, int concurrency, std::vector<NewItem> items) {
    NewBatch batch;
    batch.id = id;
    batch.concurrency = concurrency;
    batch.items = std::move(items);
    return batch;
}

StoreTest::StoreTest() { open(CrashPolicy{.failed_meta = "crashed"}); }

StoreTest::~StoreTest() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void StoreTest::open(const CrashPolicy& crashes) {
    store_.reset();
    if (GetParam() == "memory") {
        store_ = std::make_unique<MemoryStore>(clock_, crashes);
    } else {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
        std::string pattern = testing::TempDir() + "store-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        OpenOptions options;
        options.url = "sqlite:" + (folder_ / "store.db").string();
        options.durability = Durability::Normal;
        options.crashes = crashes;
        auto opened = store::open(options, clock_);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        store_ = std::move(opened).value();
    }
    store_->setListener(&events_);
}

std::vector<std::string> StoreTest::claimIds(Lane lane, int max) {
    std::vector<std::string> ids;
    for (const Claimed& job : claim(lane, max)) ids.push_back(job.lease.id);
    return ids;
}

Lease StoreTest::take(const std::string& id, Lane lane) {
    const auto jobs = claim(lane, 1);
    EXPECT_EQ(jobs.size(), 1u) << "nothing to take, expected " << id;
    if (jobs.empty()) return {};
    EXPECT_EQ(jobs[0].lease.id, id);
    return jobs[0].lease;
}

bool StoreTest::finish(const Lease& lease, const std::string& result) {
    Ending ending;
    ending.result = result;
    ending.meta = "meta of " + result;
    return must(store_->finish(lease, ending));
}

bool StoreTest::finishCached(const Lease& lease, const std::string& result, CacheTimes times) {
    Ending ending;
    ending.result = result;
    ending.meta = "meta of " + result;
    ending.cache = times;
    return must(store_->finish(lease, ending));
}

bool StoreTest::fail(const Lease& lease, const std::string& meta) {
    Ending ending;
    ending.state = JobState::Failed;
    ending.meta = meta;
    return must(store_->finish(lease, ending));
}

bool StoreTest::postpone(const Lease& lease, milliseconds delay, bool attempt_failed) {
    return must(store_->postpone(lease, Postponement{delay, attempt_failed, ""}));
}

bool StoreTest::heartbeat(const Lease& lease, int progress) {
    const Beat beat{lease, progress};
    return must(store_->heartbeat({&beat, 1}, kLease)).empty();
}

void StoreTest::crash() {
    clock_.advance(kLease + 1ms);
    EXPECT_GT(must(store_->reap()), 0);
}

Job StoreTest::job(const std::string& id) {
    const auto found = must(store_->job(id));
    EXPECT_TRUE(found) << "no job " << id;
    return found.value_or(Job{});
}

std::vector<JobState> StoreTest::itemStates(const std::string& batch_id) {
    std::vector<JobState> states;
    for (const BatchItem& item : must(store_->items(batch_id))) states.push_back(item.state);
    return states;
}

std::vector<std::string> StoreTest::listed(std::vector<JobState> states, int limit) {
    std::vector<std::string> ids;
    for (const Job& job : must(store_->list({std::move(states), limit}))) ids.push_back(job.id);
    return ids;
}

void StoreTest::sweepAll(milliseconds retention) {
    for (int calls = 0; must(store_->sweep(retention)); ++calls) ASSERT_LT(calls, 1000);
}

std::string text(const Job& job) {
    std::ostringstream out;
    const auto moment = [](std::optional<WallTime> t) { return t ? isoTime(*t) : std::string("-"); };
    out << job.id << ' ' << name(job.state) << " lane " << static_cast<int>(job.lane) << " priority "
        << job.priority << " version " << job.version << " fence " << job.fence << " progress "
        << job.progress << " attempts " << job.attempts << " crashes " << job.crashes << " updated "
        << moment(job.updated) << " run_at " << moment(job.run_at) << " finished " << moment(job.finished)
        << " result '" << job.result << "' meta '" << job.meta << "' total " << job.total << " done "
        << job.done << " failed " << job.failed << " busy " << job.busy;
    return out.str();
}

std::vector<std::string> storeKinds() { return {"memory", "sqlite"}; }

}  // namespace stepper::store
