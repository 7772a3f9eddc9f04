#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/judge.h"
#include "tests/unit/engine/fake_transport.h"
#include "tests/unit/engine/support.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Kind = transport::HttpEvent::Kind;

class Told final : public AttemptListener {
public:
    int sent_count = 0;
    transport::Headers headers;
    void sent() override { ++sent_count; }
    void heard(const transport::Headers& h) override { headers = h; }
};

class AttemptTest : public testing::Test {
protected:
    void answers(int status, std::string_view body) {
        transport::HttpEvent head = event(Kind::Head), data = event(Kind::Data);
        head.status = status;
        head.headers = &headers_;
        data.data = body;
        transport_.events = {head, data, event(Kind::End)};
    }
    // The events of a stream, after which the connection breaks off.
    void breaksOffAfter(std::initializer_list<std::string_view> events) {
        answers(200, {});
        transport_.events.resize(1);
        for (const auto data : events) transport_.events.emplace_back(event(Kind::Data)).data = data;
        transport_.events.push_back(failed(ErrorClass::Transport, "reset by the peer"));
    }
    Attempted run(bool stream = false) {
        const std::string request = R"({"model":"m-1","messages":[{"role":"user","content":"hi"}],"stream":)";
        auto got = attempt(entry_, entry_.keyFor(0), request + (stream ? "true}" : "false}"),
                           {clock_.now() + 5s, cancel_, transport_, clock_}, listener_);
        got.error = whyNone(got);
        return got;
    }

    transport::Headers headers_{{"date", "Sat, 21 Nov 2026 10:00:00 GMT"}};
    FakeTransport transport_;
    Told listener_;
    ManualClock clock_;
    CancelToken cancel_;
    ProviderEntry entry_ = shoutEntry("one", true);
};

TEST_F(AttemptTest, AnAnswerComesBackAndTheExchangeIsClosed) {
    answers(200, R"({"shouted":"HI"})");
    const auto got = run();
    ASSERT_FALSE(got.error) << got.error->message;
    EXPECT_EQ(got.answer.text, "HI");
    EXPECT_TRUE(got.heard && got.concluded);
    EXPECT_EQ(transport_.open_exchanges, 0);
}

TEST_F(AttemptTest, TheKeyMeetsTheRequestOnlyHere) {
    entry_.spec.api_keys = {config::Secret("k-1")};
    answers(200, R"({"shouted":"HI"})");
    ASSERT_FALSE(run().error);
    const auto& headers = transport_.requests.front().headers;
    EXPECT_THAT(headers, testing::Contains(testing::Pair("authorization", "Bearer k-1")));
}

TEST_F(AttemptTest, WithoutAKeyNothingIsAdded) {
    answers(200, R"({"shouted":"HI"})");
    ASSERT_FALSE(run().error);
    for (const auto& [name, value] : transport_.requests.front().headers) EXPECT_NE(name, "authorization");
}

TEST_F(AttemptTest, TheProvidersLimitsAreTheRequests) {
    entry_.spec.first_byte_timeout = 1234ms;
    entry_.spec.max_response_bytes = 999;
    answers(200, R"({"shouted":"HI"})");
    ASSERT_FALSE(run().error);
    EXPECT_EQ(transport_.requests.front().first_byte_timeout, 1234ms);
    EXPECT_EQ(transport_.requests.front().max_response_bytes, 999u);
}

TEST_F(AttemptTest, FailuresKeepTheirClass) {
    answers(503, R"({"error":"busy"})");
    EXPECT_EQ(run().error->error_class, ErrorClass::Overloaded);
    transport_.events = {failed(ErrorClass::Timeout, "no first byte")};
    EXPECT_EQ(run().error->error_class, ErrorClass::Timeout);
}

TEST_F(AttemptTest, ACancelledExchangeIsCancelledWhateverThePluginSays) {
    transport_.events = {failed(ErrorClass::Cancelled, "the client went away")};
    EXPECT_EQ(run().error->error_class, ErrorClass::Cancelled);
    EXPECT_EQ(transport_.open_exchanges, 0);
}

TEST_F(AttemptTest, TheListenerHearsOfTheRequestAndOfTheAnswersHead) {
    answers(200, R"({"shouted":"HI"})");
    ASSERT_FALSE(run().error);
    EXPECT_EQ(listener_.headers, headers_);
    EXPECT_EQ(listener_.sent_count, 0);
    transport_.requests.front().on_sent();
    EXPECT_EQ(listener_.sent_count, 1);
}

// A response of chat completions with one choice.
std::string chatBody(std::string_view choice, std::string_view more) {
    return R"({"choices":[{"index":0,)" + std::string(choice) + "}]," + std::string(more) + "}";
}

class FailedAttemptTest : public AttemptTest {
protected:
    FailedAttemptTest() { entry_ = chatEntry("one"); }
    static constexpr std::string_view kUsage = R"("usage":{"prompt_tokens":9,"completion_tokens":4})";
};

TEST_F(FailedAttemptTest, ARefusalTellsWhatItCost) {
    const auto body = chatBody(R"("message":{"content":null,"refusal":"no"},"finish_reason":"stop")", kUsage);
    answers(200, body);
    const auto got = run();
    ASSERT_TRUE(got.error);
    EXPECT_EQ(got.error->error_class, ErrorClass::ContentBlocked);
    EXPECT_EQ(got.answer.usage.prompt, 9);
    EXPECT_EQ(got.answer.usage.completion, 4);
    EXPECT_TRUE(got.heard && got.concluded);
}

TEST_F(FailedAttemptTest, NoRoomForTextIsTheRequestsFaultInWhateverWordsThePluginSaysIt) {
    const auto body =
        chatBody(R"("message":{"content":"","reasoning":"hm"},"finish_reason":"length")", kUsage);
    answers(200, body);
    const auto got = run();
    ASSERT_TRUE(got.error);
    EXPECT_EQ(got.error->error_class, ErrorClass::InvalidRequest);
    EXPECT_NE(got.error->message.find("max_tokens"), std::string::npos);
    EXPECT_EQ(got.answer.usage.completion, 4);
    EXPECT_TRUE(got.concluded);
}

TEST_F(FailedAttemptTest, WhatHadArrivedBeforeABreakIsKept) {
    const std::string first = chatBody(R"("delta":{"content":"Hel"})", kUsage);
    breaksOffAfter({first});
    const auto got = run(true);
    ASSERT_TRUE(got.error);
    EXPECT_EQ(got.error->error_class, ErrorClass::Transport);
    EXPECT_EQ(got.answer.text, "Hel");
    EXPECT_EQ(got.answer.usage.total, 13);
    EXPECT_TRUE(got.heard);
    EXPECT_FALSE(got.concluded);
}

TEST_F(FailedAttemptTest, NobodyWasHeardWhereNothingBegan) {
    transport_.events = {failed(ErrorClass::Transport, "refused")};
    const auto got = run();
    ASSERT_TRUE(got.error);
    EXPECT_FALSE(got.heard || got.concluded);
}

}  // namespace
}  // namespace stepper::engine
