#include "core/engine/chain.h"

#include <gtest/gtest.h>

#include "core/prompt/generic_prompt.h"
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
        request_.question = std::make_shared<prompt::GenericPrompt>(
            std::make_shared<const json::Document>(std::move(json::parse(R"({"prompt":"say"})")).value()));
    }

    // The request's outcome when the provider answers with that text and whoever asked had ended it by then.
    Outcome answered(const std::string& text, CancelReason ended) {
        json::Buffer buffer;
        json::Writer(buffer).String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
        body_ = R"({"choices":[{"finish_reason":"stop","message":{"content":)" +
                std::string(buffer.GetString(), buffer.GetSize()) + "}}]}";
        auto head = event(HttpEvent::Kind::Head), data = event(HttpEvent::Kind::Data);
        head.status = 200;
        head.headers = &headers_;
        data.data = body_;
        transport_.events = {head, data, event(HttpEvent::Kind::End)};
        CancelSource source(ended);
        CancelToken cancel;
        cancel.watch(source);
        RunOptions options;
        options.entered = [&source] { source.cancel(); };
        return engine_.generate(request_, std::chrono::steady_clock::now() + std::chrono::seconds{20}, cancel,
                                options);
    }

    SystemClock clock_;
    const transport::Headers headers_{{"content-type", "application/json"}};
    std::string body_;
    SnapshotHolder snapshots_;
    FakeTransport transport_;
    Metrics metrics_;
    Engine engine_{{snapshots_, transport_, metrics_, clock_}};
    GenerateRequest request_;
    std::shared_ptr<limits::Gate> gate_;
};

// Its providers may have changed since it was accepted.
TEST_F(ChainTest, AModelThatNobodyListsAnyMoreEndsTheRequestUnasked) {
    request_.model = "gone";
    CancelToken cancel;
    const auto outcome =
        engine_.generate(request_, std::chrono::steady_clock::now() + std::chrono::seconds{20}, cancel, {});
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, Failure::Kind::Stopped);
    EXPECT_EQ(outcome.failure->code, "BAD_REQUEST");
    EXPECT_FALSE(outcome.failure->retryable);
    EXPECT_TRUE(
        outcome.failure->message.starts_with("Invalid model: no provider that may be asked lists 'gone'"));
    EXPECT_TRUE(outcome.attempts.empty());
}

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

TEST_F(ChainTest, AnAnswerIsNotReadForLongWhenNobodyWaitsForIt) {
    std::string list = "[0";
    for (size_t i = 0; i < Effort::kLookEvery; ++i) list += ",0";
    list += "]";

    const auto gone = answered(list, CancelReason::ClientGone);
    ASSERT_TRUE(gone.failure);
    EXPECT_EQ(gone.failure->code, "CANCELLED");
    EXPECT_EQ(metrics_.render().find("failures_total{"), std::string::npos)
        << "it is no fault of the provider";
    EXPECT_EQ(gate_->state().breaker, limits::Breaker::State::Closed);

    EXPECT_EQ(answered("[1]", CancelReason::ClientGone).result, "[1]") << "what takes no time is kept";
    EXPECT_EQ(answered(list, CancelReason::Draining).result, list) << "what was paid for is kept at the end";
}

}  // namespace
}  // namespace stepper::engine
