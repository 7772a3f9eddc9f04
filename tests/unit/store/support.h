// What the conformance suite stands on: every store there is, opened fresh for each test, and short ways to
// say what happens to it. A call that fails fails the test.
#pragma once
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/store/open.h"
#include "core/store/store.h"

namespace stepper::store {

using namespace std::chrono_literals;
using How = Enqueued::How;

inline constexpr milliseconds kLease = 60s;

template <class T>
T must(Result<T> result) {
    if (result.ok()) return std::move(result).value();
    ADD_FAILURE() << result.error().message;
    return T{};
}

// Events as "changed:ID", "revoked:ID", "answer:KEY", "work:live", in order. Safe from any thread.
class Recorder final : public Listener {
public:
    void jobChanged(const std::string& id) override { add("changed:" + id); }
    void leaseRevoked(const std::string& id) override { add("revoked:" + id); }
    void workAvailable(Lane lane) override;
    void answerChanged(const std::string& cache_key) override { add("answer:" + cache_key); }

    // Whether it has happened, or does within some seconds.
    bool saw(const std::string& event);
    void clear();

private:
    void add(const std::string& event);

    std::mutex mutex_;
    std::condition_variable added_;
    std::vector<std::string> events_;
};

// A job that flies alone, and one whose answer is cached under `key`.
NewJob plainJob(const std::string& id, const std::string& tenant = "", int priority = kNormalPriority);
NewJob keyedJob(const std::string& id, const std::string& key);
NewItem plainItem(const std::string& id);
NewItem keyedItem(const std::string& id, const std::string& key);
NewBatch newBatch(const std::string& id, int concurrency, std::vector<NewItem> items);

// The parameter names the store.
class StoreTest : public testing::TestWithParam<std::string> {
protected:
    StoreTest();
    ~StoreTest() override;

    // Anew, with nothing in it.
    void open(const CrashPolicy& crashes);

    How enqueue(const NewJob& job) { return must(store_->enqueue(job)).how; }
    How enqueue(const NewBatch& batch) { return must(store_->enqueueBatch(batch)).how; }
    std::vector<Claimed> claim(Lane lane, int max) { return must(store_->claim(lane, max, kLease)).jobs; }
    std::vector<std::string> claimIds(Lane lane, int max);
    // The next job of the lane; it must be that one.
    Lease take(const std::string& id, Lane lane = Lane::Live);
    bool finish(const Lease& lease, const std::string& result = "result");
    bool finishCached(const Lease& lease, const std::string& result, CacheTimes times = {60s, 120s});
    bool fail(const Lease& lease, const std::string& meta = "why");
    bool postpone(const Lease& lease, milliseconds delay, bool attempt_failed = false);
    bool heartbeat(const Lease& lease, int progress = 0);
    // The worker dies: the lease runs out.
    void crash();
    Dropped::How drop(const std::string& id, bool force = false) { return must(store_->drop(id, force)).how; }

    bool exists(const std::string& id) { return must(store_->job(id)).has_value(); }
    Job job(const std::string& id);
    JobState state(const std::string& id) { return job(id).state; }
    std::vector<JobState> itemStates(const std::string& batch_id);
    std::vector<std::string> listed(std::vector<JobState> states = {}, int limit = 50);
    // Until nothing is left to remove.
    void sweepAll(milliseconds retention);

    ManualClock clock_;
    Recorder events_;

private:
    std::filesystem::path folder_;

protected:
    std::unique_ptr<Store> store_;
};

// Everything a client can see of a job, so that "nothing changed" can be compared.
std::string text(const Job& job);

// For INSTANTIATE_TEST_SUITE_P.
std::vector<std::string> storeKinds();
inline std::string kindName(const testing::TestParamInfo<std::string>& info) { return info.param; }

}  // namespace stepper::store
