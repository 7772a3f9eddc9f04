#include "core/jobs/runner.h"

#include <gtest/gtest.h>

#include "core/store/memory/store.h"

namespace stepper::jobs {
namespace {

using namespace std::chrono_literals;

class NoTransport final : public transport::Transport {
public:
    Result<std::unique_ptr<transport::Exchange>> open(transport::HttpRequest, CancelToken&) override {
        return Error{ErrorClass::Transport, "there is none"};
    }
};

class RunnerTest : public testing::Test {
protected:
    RunnerTest() { snapshots_.publish(std::make_shared<engine::Snapshot>()); }

    // Runs the next job, if one is due.
    bool runOne(const Decoder& decode) {
        Runner runner({store_, engine_, snapshots_, metrics_, decode}, clock_);
        auto claims = store_.claim(store::Lane::Live, 1, 60s);
        if (!claims || claims->jobs.empty()) return false;
        Running task(std::move(claims->jobs.front()), store::Lane::Live);
        CancelToken cancel;
        runner.run(task, cancel);
        return true;
    }

    ManualClock clock_;
    store::MemoryStore store_{clock_, {}};
    engine::SnapshotHolder snapshots_;
    NoTransport transport_;
    Metrics metrics_;
    engine::Engine engine_{{snapshots_, transport_, metrics_, clock_}};
};

TEST_F(RunnerTest, AJobThatMemoryNeverSufficesForFailsInTheEnd) {
    store::NewJob job;
    job.id = "a";
    job.kind = "generate";
    ASSERT_TRUE(store_.enqueue(job).ok());
    const Decoder greedy = [](std::string_view, std::string_view) -> Result<engine::GenerateRequest> {
        throw std::bad_alloc();
    };
    const int most = Policy{}.max_attempts;
    for (int run = 1; run <= most; ++run) {
        ASSERT_TRUE(runOne(greedy));
        const auto after = *store_.job("a");
        if (run == most) {
            EXPECT_EQ(after->state, store::JobState::Failed);
            EXPECT_NE(after->meta.find("OVERLOADED"), std::string::npos) << after->meta;
        } else {
            EXPECT_EQ(after->attempts, run);
        }
        clock_.advance(1min);
    }
    EXPECT_FALSE(runOne(greedy));
}

}  // namespace
}  // namespace stepper::jobs
