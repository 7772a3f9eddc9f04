#include "core/engine/chain.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/fake_transport.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/scarce_memory.h"

namespace stepper::engine {
namespace {

class ChainTest : public testing::Test {
protected:
    ChainTest() {
        auto snapshot = std::make_shared<Snapshot>();
        snapshot->providers.push_back(chatEntry("a-provider-whose-name-takes-memory"));
        gate_ = snapshot->providers.front().gate;
        snapshots_.publish(std::move(snapshot));
        request_.subject = GenericPrompt{
            std::make_shared<const json::Document>(std::move(json::parse(R"({"prompt":"say"})")).value())};
    }

    SystemClock clock_;
    SnapshotHolder snapshots_;
    FakeTransport transport_;
    Metrics metrics_;
    Engine engine_{{snapshots_, transport_, metrics_, clock_}};
    GenerateRequest request_;
    std::shared_ptr<limits::Gate> gate_;
};

// Up to the plugin, which makes an error of it.
TEST_F(ChainTest, ASlotIsGivenBackWhereverMemoryEndsBehindTheEntry) {
    int refusals = 0;
    for (bool was_thrown = true; was_thrown; ++refusals) {
        CancelToken cancel;
        RunOptions options;
        options.entered = [refusals] { test::refuseAllocation(refusals + 1); };
        try {
            (void)engine_.generate(request_, std::chrono::steady_clock::now() + std::chrono::seconds{20},
                                   cancel, options);
            was_thrown = false;
        } catch (const std::bad_alloc&) {
        }
        test::refuseAllocation(0);
        ASSERT_EQ(gate_->state().in_flight, 0) << "without allocation " << refusals + 1;
    }
    EXPECT_GT(refusals, 1);
}

}  // namespace
}  // namespace stepper::engine
