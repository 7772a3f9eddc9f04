#include "core/engine/waiting_line.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = limits::Report::Kind;

class WaitingLineTest : public testing::Test {
protected:
    limits::Gate& add(int slots, std::optional<int64_t> tokens = {}) {
        limits::GateOptions options;
        options.concurrency = slots;
        options.limits.skew = 0ms;
        if (tokens) options.limits.windows = {{{}, tokens, 60s}};
        gates_.push_back(std::make_unique<limits::Gate>(clock_, options, [] { return 0.5; }));
        return *gates_.back();
    }
    limits::Pass occupy(limits::Gate& gate, limits::Demand demand = {0, 0}) {
        auto pass = *gate.tryEnter(demand).pass;
        gate.sent(pass);
        return pass;
    }
    struct Request {
        std::vector<Candidate> candidates;
        WaitingLine::Waiter waiter;
        bool went() const { return waiter.choice.index.has_value(); }
        bool waits() const { return waiter.waits; }
    };
    Request& join(std::vector<limits::Gate*> gates, uint64_t bytes = 0, milliseconds patience = 1h,
                  const char* tenant = "t") {
        auto& r = *requests_.emplace_back(std::make_unique<Request>());
        for (auto* gate : gates) r.candidates.push_back({gate});
        r.waiter = {r.candidates, {bytes, 0}, tenant, clock_.now() + patience};
        line_.join(r.waiter);
        return r;
    }
    WaitingLine::Waiters serve() { return line_.serve(clock_.now()); }
    WaitingLine::Waiters consider(Request& r) { return line_.consider(r.waiter, clock_.now()); }

    ManualClock clock_;
    std::vector<std::unique_ptr<limits::Gate>> gates_;
    std::vector<std::unique_ptr<Request>> requests_;
    WaitingLine line_;
};

TEST_F(WaitingLineTest, WhatALargeRequestIsDeniedASmallOneMayHave) {
    auto& gate = add(4, 1'000);
    occupy(gate, {1'800, 0});  // 508 tokens
    auto& large = join({&gate}, 3'600);
    auto& small = join({&gate}, 36);
    serve();
    EXPECT_TRUE(large.waits());
    EXPECT_TRUE(small.went());
}

TEST_F(WaitingLineTest, WhatCanNeverFitIsSentAwayAndHoldsNobodyUp) {
    auto& gate = add(1, 1'000);
    const auto running = occupy(gate);
    auto& first = join({&gate});
    auto& never = join({&gate}, 40'000);
    auto& last = join({&gate});
    serve();
    EXPECT_FALSE(never.waits());
    EXPECT_FALSE(never.went());
    EXPECT_TRUE(first.waits());
    EXPECT_TRUE(last.waits()) << "though its denial was asked for behind that of one that never fits";
    gate.leave(running, {Kind::Ok});
    serve();
    EXPECT_TRUE(first.went());
}

// resilience4j#2194: who cannot be served within its time must not be kept until its time is up.
TEST_F(WaitingLineTest, WhoComesBeforeASlotWasOfferedDoesNotOvertake) {
    auto& gate = add(1);
    const auto running = occupy(gate);
    auto& first = join({&gate});
    EXPECT_EQ(consider(first), WaitingLine::Waiters{&first.waiter}) << "it learns when to look";
    gate.leave(running, {Kind::Ok});  // and nobody has said so yet
    auto& second = join({&gate});
    EXPECT_THAT(consider(second), testing::Contains(&first.waiter));
    EXPECT_TRUE(first.went());
    EXPECT_TRUE(second.waits());
}

TEST_F(WaitingLineTest, ANewcomerWithoutHopeIsSentAwayAloneAndAtOnce) {
    auto& gate = add(1, 1'000);
    occupy(gate);
    auto& first = join({&gate});
    consider(first);
    auto& never = join({&gate}, 40'000);
    EXPECT_EQ(consider(never), WaitingLine::Waiters{&never.waiter});
    EXPECT_FALSE(never.waits());
    EXPECT_FALSE(never.went());
    EXPECT_EQ(line_.size(), 1);
}

TEST_F(WaitingLineTest, HopeIsOnesOwn) {
    auto &busy = add(1), &resting = add(1);
    occupy(busy);
    resting.leave(occupy(resting), {Kind::QuotaExhausted, 1h});
    auto& hopeful = join({&busy});
    auto& hopeless = join({&resting}, 0, 30s);
    serve();
    EXPECT_TRUE(hopeful.waits());
    EXPECT_FALSE(hopeless.waits());
    EXPECT_EQ(hopeless.waiter.choice.soonest, clock_.now() + 1h);
}

TEST_F(WaitingLineTest, WhoseHopeEndsWhileItWaitsIsSentAwayThen) {
    auto& gate = add(1);
    const auto running = occupy(gate);
    auto& waits = join({&gate}, 0, 30s);
    serve();
    ASSERT_TRUE(waits.waits());
    gate.leave(running, {Kind::QuotaExhausted, 1h});
    EXPECT_EQ(serve(), WaitingLine::Waiters{&waits.waiter});
    EXPECT_FALSE(waits.waits());
}

// tower-resilience#363: who finds no room after its wait has to wait again, not to be let through or lost.
TEST_F(WaitingLineTest, OfACrowdThatWaitsForOneMomentOneGoesAndTheOthersWaitOn) {
    auto& gate = add(9, 100);
    occupy(gate, {324, 0});  // 98 tokens
    auto& first = join({&gate}, 324);
    auto& second = join({&gate}, 324);
    serve();
    ASSERT_EQ(first.waiter.look_at, second.waiter.look_at);
    clock_.advance(first.waiter.look_at - clock_.now());
    serve();
    EXPECT_TRUE(first.went());
    EXPECT_TRUE(second.waits());
    EXPECT_EQ(second.waiter.look_at, clock_.now() + 60s);
}

// hackney#312: what waits for one destination must not be looked at only when calls to another end.
TEST_F(WaitingLineTest, AProviderThatComesBackIsLookedAtAlsoByWhoWaitsForAnother) {
    auto &busy = add(1), &open = add(1);
    occupy(busy);
    open.leave(occupy(open), {Kind::Failed, 20s});
    auto& waits = join({&busy, &open});
    serve();
    EXPECT_EQ(waits.waiter.choice.soonest, SteadyTime::max()) << "not worth waiting for by itself";
    EXPECT_EQ(waits.waiter.look_at, clock_.now() + 20s);
    clock_.advance(20s);
    serve();
    EXPECT_EQ(waits.waiter.choice.index, 1u);
}

TEST_F(WaitingLineTest, AHeldProviderWhoseCircuitClosesInTimeIsWaitedFor) {
    auto &open = add(1), &idle = add(1);
    open.leave(occupy(open), {Kind::Failed, 20s});
    auto& waits = join({&open, &idle});
    waits.candidates[0].hold_until = clock_.now() + 30s;
    serve();
    EXPECT_TRUE(waits.waits());
    clock_.advance(20s);
    serve();
    EXPECT_EQ(waits.waiter.choice.index, 0u);
}

TEST_F(WaitingLineTest, AHeldProviderThatIsSetAsideIsNot) {
    auto &gone = add(1), &idle = add(1);
    gone.leave(occupy(gone), {Kind::ModelMissing});
    auto& goes = join({&gone, &idle});
    goes.candidates[0].hold_until = clock_.now() + 10min;
    serve();
    EXPECT_EQ(goes.waiter.choice.index, 1u);
}

TEST_F(WaitingLineTest, AReloadIsSeenAtTheNextLook) {
    auto& gate = add(1, 1'000);
    occupy(gate);
    auto& waits = join({&gate}, 3'600);
    serve();
    ASSERT_TRUE(waits.waits());
    limits::GateOptions narrower;
    narrower.limits.windows = {{{}, 500, 60s}};
    gate.reconfigure(narrower);
    serve();
    EXPECT_FALSE(waits.waits()) << "now it can never fit";
}

// Of the jobs' turns. A slot comes free again and again, and a crowd of requests waits for it.
class JobsTurn : public WaitingLineTest {
protected:
    void SetUp() override {
        gate_ = &add(1);
        running_ = occupy(*gate_);
        for (int i = 0; i < 100; ++i) join({gate_});
        serve();
    }
    // Whether a request took the slot that was given back.
    bool requestGoes() {
        gate_->leave(running_, {Kind::Ok});
        const int before = line_.size();
        for (auto* waiter : serve())
            if (waiter->choice.index) running_ = waiter->choice.pass;
        return line_.size() < before;
    }
    int requestsUntilATurn() {
        int n = 0;
        while (line_.jobsWait(), requestGoes()) ++n;
        return n;
    }
    void turnPassesUnused() {
        clock_.advance(50ms);
        for (auto* waiter : serve())
            if (waiter->choice.index) running_ = waiter->choice.pass;
    }
    limits::Gate* gate_ = nullptr;
    limits::Pass running_;
};

TEST_F(JobsTurn, ComesAfterFourRequestsAndEndsWithTheJob) {
    EXPECT_FALSE(line_.jobsWait());
    EXPECT_EQ(requestsUntilATurn(), 4);
    EXPECT_TRUE(line_.jobsWait());
    running_ = occupy(*gate_);
    EXPECT_TRUE(line_.jobEntered());
    EXPECT_EQ(requestsUntilATurn(), 4);
}

TEST_F(JobsTurn, IsNotUsedUpByAJobThatCouldNotEnter) {
    EXPECT_EQ(requestsUntilATurn(), 4);
    // One that may use other providers only comes and goes: nothing is told to the line.
    EXPECT_TRUE(line_.jobsWait()) << "the next job has its turn";
    clock_.advance(49ms);
    EXPECT_TRUE(serve().empty());
}

TEST_F(JobsTurn, KeepsRoomForMomentsOnlyAndUnusedTurnsBecomeRare) {
    for (const int requests : {4, 7, 15, 31}) {
        EXPECT_EQ(requestsUntilATurn(), requests);
        turnPassesUnused();  // and one request goes
    }
    running_ = {};
    EXPECT_FALSE(line_.jobEntered());
}

TEST_F(JobsTurn, WhoseRoomIsKeptForAJobKeepsItsHope) {
    auto& hasty = join({gate_}, 0, 20ms);
    serve();
    while (line_.jobsWait(), requestGoes()) {
    }
    EXPECT_TRUE(hasty.waits());
    EXPECT_EQ(hasty.waiter.look_at, hasty.waiter.until);
}

}  // namespace
}  // namespace stepper::engine
