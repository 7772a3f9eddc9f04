#include "core/engine/caretaker.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/fake_transport.h"
#include "tests/unit/engine/support.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = Chronicle::Kind;

class CaretakerTest : public testing::Test {
protected:
    CaretakerTest() {
        spec().probe_every = 60s;
        spec().keep_warm = 30s;
    }
    config::Provider& spec() { return snapshot_->providers.front().spec; }
    // With keys of these names, whose gate is of this clock.
    void setKeys(std::initializer_list<const char*> keys) {
        ProviderEntry& entry = snapshot_->providers.front();
        entry.targets.clear();
        entry.spec.api_keys.clear();
        limits::GateOptions options;
        options.targets.clear();
        for (const char* key : keys) {
            entry.spec.api_keys.emplace_back(key);
            entry.targets.push_back(limits::targetId(key));
            options.targets.emplace_back(key);
        }
        entry.gate = std::make_shared<limits::Gate>(clock_, options, [] { return 0.5; });
        entry.chronicle = std::make_shared<Chronicle>("one", clock_);
    }
    limits::Gate& gate() { return *snapshot_->providers.front().gate; }
    std::optional<Chronicle::Visit> last(Kind kind) {
        return snapshot_->providers.front().chronicle->lastVisit(kind);
    }
    void answers(int status) {
        transport::HttpEvent head = event(HttpEvent::Kind::Head), data = event(HttpEvent::Kind::Data);
        head.status = status;
        head.headers = &headers_;
        data.data = status == 200 ? R"({"data":[{"id":"m-1"}]})" : R"({"error":{"message":"no"}})";
        for (const auto& e : {head, data, event(HttpEvent::Kind::End)}) transport_.events.push_back(e);
    }
    // Seconds until the next visit of any kind.
    int64_t round() {
        snapshots_.publish(snapshot_);
        CancelToken cancel;
        const auto next = std::min(prober_.round(cancel), waker_.round(cancel));
        if (next == SteadyTime::max()) return -1;
        return std::chrono::duration_cast<std::chrono::seconds>(next - clock_.now()).count();
    }

    ManualClock clock_;
    transport::Headers headers_;
    FakeTransport transport_;
    std::shared_ptr<Snapshot> snapshot_ = [] {
        auto out = std::make_shared<Snapshot>();
        out->providers.push_back(chatEntry("one"));
        return out;
    }();
    SnapshotHolder snapshots_;
    Caretaker prober_{Kind::Probe, snapshots_, transport_, clock_};
    Caretaker waker_{Kind::Warmup, snapshots_, transport_, clock_};
};

TEST_F(CaretakerTest, ProbesAtOnceAndThenAsOftenAsIsSaid) {
    setKeys({"k"});
    answers(200);
    EXPECT_EQ(round(), 60);
    ASSERT_EQ(transport_.requests.size(), 1u);
    EXPECT_EQ(transport_.requests[0].method, "GET");
    EXPECT_FALSE(last(Kind::Probe)->error);
    EXPECT_EQ(last(Kind::Probe)->at, clock_.wall());
    clock_.advance(59s);
    EXPECT_EQ(round(), 1);
    clock_.advance(1s);
    answers(503);
    EXPECT_EQ(round(), 60);
    EXPECT_EQ(transport_.requests.size(), 2u);
    EXPECT_TRUE(last(Kind::Probe)->error);
    EXPECT_FALSE(gate().look({}).denied) << "only a call that was wanted says that it is down";
}

TEST_F(CaretakerTest, WhatIsNotWantedOrNotKnownIsNotDone) {
    setKeys({"k"});
    spec().probe_every = 0s;
    EXPECT_EQ(round(), -1) << "this plugin keeps nothing warm";
    EXPECT_TRUE(transport_.requests.empty());
    EXPECT_FALSE(last(Kind::Probe) || last(Kind::Warmup));
}

TEST_F(CaretakerTest, TriesEachKeyAndSetsAsideTheRefusedOne) {
    setKeys({"bad", "good"});
    answers(401);
    answers(200);
    round();
    ASSERT_EQ(transport_.requests.size(), 2u);
    const auto state = gate().state();
    EXPECT_EQ(state.keys.at(0).set_aside, limits::SetAside::KeyRefused);
    EXPECT_FALSE(state.keys.at(1).set_aside);
    EXPECT_FALSE(state.denied);
    EXPECT_EQ(last(Kind::Probe)->error->error_class, ErrorClass::Auth);
    EXPECT_EQ(gate().tryEnter({}).pass->target, limits::targetId("good"));
}

TEST_F(CaretakerTest, ARefusedOnlyKeyIsTheProviders) {
    setKeys({"bad"});
    answers(401);
    round();
    EXPECT_EQ(gate().look({}).denied, limits::Denial::Disabled);
}

// It may be about the list of models alone.
TEST_F(CaretakerTest, AForbiddenProbeIsShownAndSetsNothingAside) {
    setKeys({"k"});
    answers(403);
    round();
    EXPECT_TRUE(last(Kind::Probe)->error);
    EXPECT_FALSE(gate().look({}).denied);
}

TEST_F(CaretakerTest, AProviderThatIsGoneIsForgottenAndProbedAnewWhenItIsBack) {
    setKeys({"k"});
    answers(200);
    round();
    const auto kept = snapshot_;
    snapshot_ = std::make_shared<Snapshot>();
    EXPECT_EQ(round(), -1);
    snapshot_ = kept;
    answers(200);
    EXPECT_EQ(round(), 60);
    EXPECT_EQ(transport_.requests.size(), 2u);
}

TEST_F(CaretakerTest, AnotherKeyIsTriedAtOnce) {
    setKeys({"k"});
    answers(200);
    round();
    snapshot_ = std::make_shared<Snapshot>(*snapshot_);
    setKeys({"corrected"});
    answers(200);
    EXPECT_EQ(round(), 60);
    EXPECT_EQ(transport_.requests.size(), 2u);
}

TEST_F(CaretakerTest, WhoHasAnsweredLatelyIsAwake) {
    snapshot_->providers.front() = entryOf("one", imageOf(SPACE_PLUGIN));
    setKeys({"k"});
    spec().keep_warm = 30s;
    auto pass = gate().tryEnter({}).pass;
    gate().sent(*pass);
    gate().leave(*pass, {limits::Report::Kind::Ok});
    clock_.advance(20s);
    EXPECT_EQ(round(), 10);
    EXPECT_TRUE(transport_.requests.empty());
    clock_.advance(10s);
    answers(200);
    EXPECT_EQ(round(), 30);
    EXPECT_EQ(transport_.requests.size(), 1u);
    EXPECT_FALSE(last(Kind::Warmup)->error);
}

TEST_F(CaretakerTest, NothingIsBegunOnceItCloses) {
    setKeys({"k"});
    snapshots_.publish(snapshot_);
    CancelSource closing(CancelReason::Draining);
    closing.cancel();
    CancelToken cancel;
    cancel.watch(closing);
    prober_.round(cancel);
    EXPECT_TRUE(transport_.requests.empty());
    EXPECT_FALSE(last(Kind::Probe));
}

}  // namespace
}  // namespace stepper::engine
