// The life of one job, and how it is shown.
#include "tests/unit/store/support.h"

namespace stepper::store {
namespace {

using Ids = std::vector<std::string>;

class Jobs : public StoreTest {
protected:
    Ids overdue(int max) {
        Ids ids;
        for (const Claimed& c : must(store_->claimOverdue(max, kLease, 1h)).jobs) ids.push_back(c.lease.id);
        return ids;
    }
};
INSTANTIATE_TEST_SUITE_P(Store, Jobs, testing::ValuesIn(storeKinds()), kindName);

TEST_P(Jobs, ANewJobIsReadyAndShownAsItCame) {
    NewJob added = plainJob("a", "acme", 3);
    added.cache_key = "key";
    EXPECT_EQ(enqueue(added), How::Created);
    const Job a = job("a");
    EXPECT_EQ(a.kind, "generate");
    EXPECT_EQ(a.tenant, "acme");
    EXPECT_EQ(a.cache_key, "key");
    EXPECT_EQ(a.state, JobState::Ready);
    EXPECT_EQ(a.lane, Lane::Live);
    EXPECT_EQ(a.priority, 3);
    EXPECT_EQ(a.wanted_by, 1);
    EXPECT_EQ(a.created, clock_.wall());
    EXPECT_FALSE(a.finished);
    EXPECT_FALSE(a.run_at);
    EXPECT_FALSE(a.isBatch());
}

TEST_P(Jobs, AKnownIdIsARepeatInWhateverState) {
    enqueue(plainJob("a"));
    EXPECT_EQ(enqueue(plainJob("a")), How::Repeated);
    const Lease lease = take("a");
    EXPECT_EQ(enqueue(plainJob("a")), How::Repeated);
    finish(lease);
    EXPECT_EQ(enqueue(plainJob("a")), How::Repeated);
    EXPECT_EQ(job("a").wanted_by, 1);
    EXPECT_EQ(must(store_->enqueue(plainJob("a"))).id, "a");
}

TEST_P(Jobs, AWorkerIsGivenAllItNeeds) {
    NewJob added = plainJob("a", "acme");
    added.cache_key = "key";
    added.background = true;
    added.time_limit = 10s;
    enqueue(added);
    const SteadyTime created = clock_.now();
    clock_.advance(4s);
    const auto jobs = claim(Lane::Live, 5);
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_EQ(jobs[0].lease.id, "a");
    EXPECT_EQ(jobs[0].kind, "generate");
    EXPECT_EQ(jobs[0].request, "request of a");
    EXPECT_EQ(jobs[0].tenant, "acme");
    EXPECT_EQ(jobs[0].cache_key, "key");
    EXPECT_TRUE(jobs[0].background);
    EXPECT_EQ(jobs[0].attempts, 0);
    EXPECT_EQ(jobs[0].created, created);
    EXPECT_EQ(jobs[0].deadline, clock_.now() + 6s);
    EXPECT_EQ(jobs[0].meta, "");
}

TEST_P(Jobs, ATimeLimitRunsOnWhileTheJobWaits) {
    NewJob limited = plainJob("a");
    limited.time_limit = 10s;
    enqueue(limited);
    enqueue(plainJob("b"));
    clock_.advance(12s);
    const auto jobs = claim(Lane::Live, 2);
    ASSERT_EQ(jobs.size(), 2u);
    EXPECT_EQ(jobs[0].deadline, clock_.now() - 2s);
    EXPECT_FALSE(jobs[1].deadline);
}

TEST_P(Jobs, AWorkerIsToldWhatHappenedSoFar) {
    enqueue(plainJob("a"));
    must(store_->postpone(take("a"), {0ms, true, "timed out"}));
    const auto jobs = claim(Lane::Live, 1);
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_EQ(jobs[0].meta, "timed out");
}

TEST_P(Jobs, RunAgainItHasTheTimeLimitItHad) {
    NewJob limited = plainJob("a");
    limited.time_limit = 10s;
    enqueue(limited);
    clock_.advance(4s);
    EXPECT_EQ(must(store_->request("a"))->time_limit, 10s);
    enqueue(plainJob("b"));
    EXPECT_FALSE(must(store_->request("b"))->time_limit);
}

TEST_P(Jobs, ThoseWhoseTimeIsUpCanBeClaimedApart) {
    const auto limited = [this](const std::string& id, milliseconds limit) {
        NewJob added = plainJob(id);
        added.time_limit = limit;
        enqueue(added);
    };
    limited("delayed", 7s);
    must(store_->postpone(take("delayed"), {.delay = 30s, .attempt_failed = false, .meta = ""}));
    limited("running", 5s);
    take("running");
    enqueue(plainJob("unlimited"));
    limited("later", 10s);
    limited("sooner", 5s);
    limited("not yet", 60s);
    EXPECT_EQ(overdue(9), Ids{});
    clock_.advance(12s);
    EXPECT_EQ(overdue(1), Ids{"sooner"});
    EXPECT_EQ(overdue(9), (Ids{"delayed", "later"}));
    EXPECT_EQ(overdue(9), Ids{});
    EXPECT_EQ(state("delayed"), JobState::Leased);
    EXPECT_FALSE(job("delayed").run_at);
}

TEST_P(Jobs, OverdueItemsWaitNeitherForRoomNorForTheirLeader) {
    NewBatch batch = newBatch("batch", 1, {plainItem("i"), plainItem("held"), keyedItem("follows", "key")});
    batch.time_limit = 5s;
    enqueue(keyedJob("leader", "key"));
    enqueue(batch);
    const Lease i = take("i", Lane::Batch);
    clock_.advance(6s);
    const auto claims = must(store_->claimOverdue(9, kLease, 1h));
    ASSERT_EQ(claims.jobs.size(), 2u);
    EXPECT_EQ(job("batch").busy, 3);
    for (const Claimed& c : claims.jobs) EXPECT_TRUE(fail(c.lease, "too late"));
    EXPECT_EQ(itemStates("batch"),
              (std::vector<JobState>{JobState::Leased, JobState::Failed, JobState::Failed}));
    EXPECT_EQ(job("batch").busy, 1);
    EXPECT_EQ(state("leader"), JobState::Ready);
    finish(i);
    EXPECT_EQ(state("batch"), JobState::Done);
}

TEST_P(Jobs, NobodyWaitsLongerThanTheLongestWait) {
    enqueue(newBatch("batch", 1, {plainItem("i"), plainItem("held")}));
    enqueue(plainJob("delayed"));
    must(store_->postpone(take("delayed"), {.delay = 10h, .attempt_failed = false, .meta = ""}));
    enqueue(plainJob("running"));
    take("running");
    clock_.advance(30min);
    enqueue(keyedJob("young", "key"));
    NewJob follower = keyedJob("follower", "key");
    follower.time_limit = 9h;
    enqueue(follower);
    clock_.advance(30min - 1ms);
    EXPECT_EQ(overdue(9), Ids{});
    clock_.advance(1ms);
    EXPECT_EQ(overdue(1), Ids{"i"});
    EXPECT_EQ(overdue(9), Ids{"delayed"});
    clock_.advance(30min);
    // Whoever is held waits for its batch, whoever follows for its leader.
    EXPECT_EQ(overdue(9), Ids{"young"});
    EXPECT_EQ(state("follower"), JobState::Following);
}

TEST_P(Jobs, WhenTheNextIsOverdueIsTold) {
    const auto next = [this] { return must(store_->claimOverdue(9, kLease, 1h)).next_due; };
    EXPECT_FALSE(next());
    enqueue(plainJob("a"));
    EXPECT_EQ(next(), 1h);
    NewJob limited = plainJob("b");
    limited.time_limit = 10s;
    enqueue(limited);
    EXPECT_EQ(next(), 10s);
    clock_.advance(4s);
    EXPECT_EQ(next(), 6s);
    clock_.advance(7s);
    EXPECT_EQ(next(), 1h - 11s);
    take("a");
    EXPECT_FALSE(next());
}

TEST_P(Jobs, ALimitedListIsFullOfWhatWasAskedFor) {
    enqueue(newBatch("begun", 1, {plainItem("i"), plainItem("j")}));
    const Lease i = take("i", Lane::Batch);
    for (const auto* id : {"b1", "b2", "b3"}) enqueue(newBatch(id, 1, {plainItem(std::string(id) + "i")}));
    const auto listed = [this](bool at_work, int limit) {
        Ids ids;
        for (const Job& job : must(store_->list({{JobState::Leased, JobState::Open}, limit, at_work})))
            ids.push_back(job.id);
        return ids;
    };
    EXPECT_EQ(listed(true, 1), Ids{"begun"});
    EXPECT_EQ(listed(false, 2), (Ids{"b3", "b2"}));
    enqueue(plainJob("running"));
    take("running");
    EXPECT_EQ(listed(true, 9), (Ids{"running", "begun"}));
    finish(i);
    EXPECT_EQ(listed(true, 9), (Ids{"running", "begun"}));
}

TEST_P(Jobs, BytesComeBackAsTheyWere) {
    const std::string bytes{"\0\xff'\"\n\xc3\x28;--", 10};
    NewJob added = plainJob("a");
    added.request = bytes;
    enqueue(added);
    const auto jobs = claim(Lane::Live, 1);
    ASSERT_EQ(jobs.size(), 1u);
    EXPECT_EQ(jobs[0].request, bytes);
    EXPECT_TRUE(must(store_->finish(jobs[0].lease, Ending{JobState::Done, bytes, bytes, {}, 0ms})));
    EXPECT_EQ(job("a").result, bytes);
    EXPECT_EQ(job("a").meta, bytes);
}

TEST_P(Jobs, ADoneJobHasItsResultAndAFailedOneNone) {
    enqueue(plainJob("a"));
    enqueue(plainJob("b"));
    const Lease a = take("a"), b = take("b");
    clock_.advance(3s);
    EXPECT_TRUE(finish(a, "text"));
    EXPECT_TRUE(fail(b, "no provider"));
    EXPECT_EQ(job("a").state, JobState::Done);
    EXPECT_EQ(job("a").result, "text");
    EXPECT_EQ(job("a").meta, "meta of text");
    EXPECT_EQ(job("a").finished, clock_.wall());
    EXPECT_EQ(job("b").state, JobState::Failed);
    EXPECT_EQ(job("b").result, "");
    EXPECT_EQ(job("b").meta, "no provider");
    EXPECT_EQ(job("b").finished, clock_.wall());
}

TEST_P(Jobs, EveryVisibleChangeRaisesTheVersion) {
    enqueue(plainJob("a"));
    int64_t last = job("a").version;
    const auto grew = [&] {
        const int64_t before = std::exchange(last, job("a").version);
        return last > before;
    };
    Lease lease = take("a");
    EXPECT_TRUE(grew());
    heartbeat(lease, 40);
    EXPECT_TRUE(grew());
    postpone(lease, 5s, true);
    EXPECT_TRUE(grew());
    clock_.advance(5s);
    lease = take("a");
    EXPECT_TRUE(grew());
    crash();
    EXPECT_TRUE(grew());
    lease = take("a");
    EXPECT_TRUE(grew());
    finish(lease);
    EXPECT_TRUE(grew());
    EXPECT_FALSE(grew());
}

TEST_P(Jobs, TheRequestIsKeptToRunItAgain) {
    NewJob added = plainJob("a", "acme");
    enqueue(added);
    fail(take("a"));
    const auto again = must(store_->request("a"));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->kind, "generate");
    EXPECT_EQ(again->request, "request of a");
    EXPECT_FALSE(must(store_->request("none")));
}

TEST_P(Jobs, NothingIsKnownOfAnUnknownJob) {
    EXPECT_FALSE(exists("none"));
    EXPECT_TRUE(must(store_->items("none")).empty());
    EXPECT_FALSE(finish({"none", 1}));
    EXPECT_FALSE(postpone({"none", 1}, 0ms));
    EXPECT_FALSE(heartbeat({"none", 1}));
    EXPECT_EQ(drop("none"), Dropped::How::NotFound);
    EXPECT_TRUE(claim(Lane::Live, 5).empty());
    EXPECT_EQ(must(store_->reap()), 0);
}

TEST_P(Jobs, ListsAreNewestFirstFilteredBoundedAndLight) {
    for (const auto* id : {"a", "b", "c", "d"}) {
        enqueue(plainJob(id));
        clock_.advance(1s);
    }
    enqueue(newBatch("batch", 1, {plainItem("item")}));
    finish(take("a"));
    take("b");
    EXPECT_EQ(listed(), (std::vector<std::string>{"batch", "d", "c", "b", "a"}));
    EXPECT_EQ(listed({}, 2), (std::vector<std::string>{"batch", "d"}));
    EXPECT_EQ(listed({JobState::Ready}), (std::vector<std::string>{"d", "c"}));
    EXPECT_EQ(listed({JobState::Done, JobState::Leased}), (std::vector<std::string>{"b", "a"}));
    const auto done = must(store_->list({{JobState::Done}, 5}));
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0].result, "");
    EXPECT_EQ(done[0].meta, "");
}

TEST_P(Jobs, StatsCountEachLane) {
    enqueue(plainJob("a"));
    enqueue(plainJob("b"));
    enqueue(plainJob("c"));
    enqueue(plainJob("d"));
    enqueue(newBatch("batch", 1, {keyedItem("i", "k"), plainItem("j"), keyedItem("l", "k")}));
    take("a");
    postpone(take("b"), 1h);
    clock_.advance(7s);
    const Stats s = must(store_->stats());
    EXPECT_EQ(s.lanes[Lane::Live].ready, 2);
    EXPECT_EQ(s.lanes[Lane::Live].delayed, 1);
    EXPECT_EQ(s.lanes[Lane::Live].leased, 1);
    EXPECT_EQ(s.lanes[Lane::Live].oldest_ready, 7s);
    EXPECT_EQ(s.lanes[Lane::Batch].ready, 1);
    EXPECT_EQ(s.lanes[Lane::Batch].delayed + s.lanes[Lane::Batch].leased, 0);
    EXPECT_EQ(s.lanes[Lane::Suspect].ready + s.lanes[Lane::Suspect].delayed + s.lanes[Lane::Suspect].leased,
              0);
    EXPECT_EQ(s.lanes[Lane::Suspect].oldest_ready, 0ms);
    EXPECT_EQ(s.held, 1);
    EXPECT_EQ(s.following, 1);
}

TEST_P(Jobs, AStoreThatWorksIsHealthy) {
    EXPECT_EQ(store_->health().status, Health::Status::Ok);
    EXPECT_EQ(store_->health().reason, "");
}

}  // namespace
}  // namespace stepper::store
