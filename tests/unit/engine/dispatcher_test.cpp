#include "core/engine/dispatcher.h"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using limits::Denial;
using Kind = limits::Report::Kind;

limits::GateOptions options(int concurrency, std::optional<int64_t> per_ten_seconds = {}) {
    limits::GateOptions out;
    out.concurrency = concurrency;
    out.limits.skew = 0ms;
    if (per_ten_seconds) out.limits.windows = {{per_ten_seconds, {}, 10s}};
    out.breaker.consecutive = 1;
    out.breaker.open_for = out.breaker.max_open_for = 10s;
    return out;
}

// Gates over one clock, and the candidates of a request that may be sent to all of them.
class Choosing : public testing::Test {
protected:
    limits::Gate& add(limits::GateOptions gate_options) {
        gates_.push_back(std::make_unique<limits::Gate>(clock_, gate_options, [] { return 0.5; }));
        candidates_.push_back({gates_.back().get(), true, {}, {}});
        return *gates_.back();
    }
    void use(limits::Gate& gate, Kind kind, std::optional<milliseconds> retry_after = {}) {
        auto entry = gate.tryEnter({});
        ASSERT_TRUE(entry.pass);
        gate.sent(*entry.pass);
        gate.leave(*entry.pass, {kind, retry_after, {}, {}});
    }
    Choice choice() { return choose(candidates_, {}, clock_.now(), nullptr); }

    ManualClock clock_;
    std::vector<std::unique_ptr<limits::Gate>> gates_;
    std::vector<Candidate> candidates_;
};

TEST_F(Choosing, TheFirstThatIsReadyIsTaken) {
    use(add(options(1)), Kind::RateLimited, 5s);
    add(options(1));
    add(options(1));
    EXPECT_EQ(choice().index, 1u);
    EXPECT_EQ(choice().index, 2u);
    const auto none = choice();
    EXPECT_FALSE(none.index);
    EXPECT_TRUE(none.busy);
    EXPECT_EQ(none.soonest, clock_.now() + 5s);
}

TEST_F(Choosing, WhatIsNotPendingIsNotAsked) {
    add(options(1));
    candidates_[0].pending = false;
    const auto none = choice();
    EXPECT_FALSE(none.index);
    EXPECT_FALSE(none.hopeful(SteadyTime::max()));
}

TEST_F(Choosing, AnOrderIsKeptForAsLongAsItIsWorthTheWait) {
    use(add(options(1)), Kind::RateLimited, 3s);
    add(options(1));
    candidates_[0].hold_until = clock_.now() + 4s;
    EXPECT_FALSE(choice().index);
    EXPECT_EQ(choice().soonest, clock_.now() + 3s);
    clock_.advance(3s);
    EXPECT_EQ(choice().index, 0u);
    clock_.advance(2s);
    EXPECT_EQ(choice().index, 1u);
}

TEST_F(Choosing, AProviderThatWillNotBeReadyInTimeIsPassedOver) {
    use(add(options(1)), Kind::RateLimited, 5s);
    add(options(1));
    candidates_[0].hold_until = clock_.now() + 4s;
    EXPECT_EQ(choice().index, 1u);
}

TEST_F(Choosing, ABusyOneIsHeldForUntilPatienceEnds) {
    add(options(1)).tryEnter({});
    add(options(1));
    candidates_[0].hold_until = clock_.now() + 1s;
    EXPECT_FALSE(choice().index);
    EXPECT_EQ(choice().soonest, clock_.now() + 1s);
    clock_.advance(1s);
    EXPECT_EQ(choice().index, 1u);
}

TEST_F(Choosing, AnOpenCircuitIsWorthMomentsOnly) {
    use(add(options(1)), Kind::Unreachable);
    EXPECT_FALSE(choice().hopeful(clock_.now() + 1h));
    clock_.advance(9s);
    EXPECT_TRUE(choice().hopeful(clock_.now() + 1h));
}

TEST_F(Choosing, AQuickRetryComesBeforeTheNext) {
    add(options(1));
    add(options(1));
    candidates_[0].not_before = candidates_[0].hold_until = clock_.now() + 100ms;
    EXPECT_FALSE(choice().index);
    EXPECT_EQ(choice().soonest, clock_.now() + 100ms);
    clock_.advance(100ms);
    EXPECT_EQ(choice().index, 0u);
}

TEST_F(Choosing, DenialsAreRememberedForACrowd) {
    auto& gate = add(options(1, 1));
    use(gate, Kind::Ok);
    Denials denials;
    EXPECT_FALSE(choose(candidates_, {}, clock_.now(), &denials).index);
    clock_.advance(1h);
    EXPECT_FALSE(choose(candidates_, {}, clock_.now(), &denials).index) << "it was asked anew";
    EXPECT_TRUE(choice().index);
}

// Requests on threads of their own. Time stands still, so only roomMade() lets anybody go.
class Waiting : public Choosing {
protected:
    Waiting() : dispatcher_(clock_) {}
    ~Waiting() override {
        for (auto& thread : threads_) thread.join();
    }

    void wait(const std::string& tenant, uint64_t bytes = 0) {
        const size_t before = waiting();
        threads_.emplace_back([this, tenant, bytes] {
            CancelToken cancel;
            const limits::Demand demand{bytes, {}};
            auto turn = dispatcher_.enter(candidates_, demand, tenant, clock_.now() + 1h, cancel);
            std::lock_guard lock(mutex_);
            order_.push_back(tenant);
            if (turn.choice.index) held_ = std::move(turn.choice.pass);
        });
        // It must have joined the queue before the next one does.
        while (waiting() == before) std::this_thread::yield();
    }
    size_t waiting() { return static_cast<size_t>(dispatcher_.waiting()); }
    // Gives the only slot back and returns who has it now.
    std::string release() {
        size_t served = 0;
        limits::Pass pass;
        {
            std::lock_guard lock(mutex_);
            served = order_.size();
            pass = held_;
        }
        gates_[0]->leave(pass, {Kind::Ok, {}, {}, {}});
        dispatcher_.roomMade();
        for (;;) {
            std::lock_guard lock(mutex_);
            if (order_.size() > served) return order_.back();
        }
    }
    // Takes the slot, so that whoever comes waits.
    void occupy() { held_ = *add(options(1)).tryEnter({}).pass; }

    Dispatcher dispatcher_;
    std::mutex mutex_;
    std::vector<std::string> order_;
    limits::Pass held_;
    std::vector<std::thread> threads_;
};

TEST_F(Waiting, TenantsShareAndKeepTheirOwnOrder) {
    occupy();
    for (int i = 0; i < 4; ++i) wait("a");
    for (int i = 0; i < 2; ++i) wait("b");
    std::string order;
    for (int i = 0; i < 6; ++i) order += release();
    EXPECT_EQ(order, "ababaa");
}

TEST_F(Waiting, ALargeRequestCountsForMore) {
    occupy();
    for (int i = 0; i < 3; ++i) wait("a", 3 * 8192);
    for (int i = 0; i < 6; ++i) wait("b");
    std::string order;
    for (int i = 0; i < 9; ++i) order += release();
    // a's cost four each, b's one.
    EXPECT_EQ(order, "abbbbabba");
}

TEST_F(Waiting, WhoCannotBeServedInTimeIsToldAtOnce) {
    use(add(options(1)), Kind::RateLimited, 2h);
    CancelToken cancel;
    const auto turn = dispatcher_.enter(candidates_, {}, "a", clock_.now() + 1h, cancel);
    EXPECT_FALSE(turn.choice.index);
    EXPECT_EQ(dispatcher_.waiting(), 0);
}

TEST_F(Waiting, ACancelledOneLeavesTheQueue) {
    occupy();
    CancelSource source(CancelReason::Requested);
    std::thread canceller([&] {
        while (waiting() == 0) std::this_thread::yield();
        source.cancel();
    });
    CancelToken cancel;
    cancel.watch(source);
    const auto turn = dispatcher_.enter(candidates_, {}, "a", clock_.now() + 1h, cancel);
    canceller.join();
    EXPECT_EQ(turn.cancelled, CancelReason::Requested);
    EXPECT_EQ(dispatcher_.waiting(), 0);
}

TEST_F(Waiting, JobsGetOneEntryInFiveWhileOthersWait) {
    occupy();
    for (int i = 0; i < 8; ++i) wait("a");
    EXPECT_EQ(dispatcher_.roomForJobs({1, SteadyTime::max()}).now, 0);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(release(), "a");
    // The fifth is the jobs': nobody goes although there is room.
    gates_[0]->leave(held_, {Kind::Ok, {}, {}, {}});
    dispatcher_.roomMade();
    EXPECT_EQ(waiting(), 4u);
    EXPECT_EQ(dispatcher_.roomForJobs({1, SteadyTime::max()}).now, 1);
    auto job = dispatcher_.tryEnter(candidates_, {});
    ASSERT_TRUE(job.choice.index);
    {
        std::lock_guard lock(mutex_);
        held_ = std::move(job.choice.pass);
    }
    for (int i = 0; i < 4; ++i) EXPECT_EQ(release(), "a");
}

TEST_F(Waiting, ListenersHearOfRoom) {
    int heard = 0;
    dispatcher_.setListener([&] { ++heard; });
    dispatcher_.roomMade();
    EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace stepper::engine
