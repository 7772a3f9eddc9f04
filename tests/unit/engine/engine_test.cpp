// One request end to end over a transport that replays, on a clock that stands still.
#include "core/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/prompt/generic_prompt.h"
#include "tests/unit/engine/fake_transport.h"
#include "tests/unit/engine/support.h"

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = Failure::Kind;

class EngineTest : public testing::Test {
protected:
    static constexpr const char* kGood =
        R"({"choices":[{"finish_reason":"stop","message":{"content":"{\"a\":1}"}}],)"
        R"("usage":{"prompt_tokens":9,"completion_tokens":4}})";
    static constexpr const char* kProse =
        R"({"choices":[{"finish_reason":"stop","message":{"content":"I would rather not."}}]})";
    static constexpr const char* kCensored =
        R"({"choices":[{"finish_reason":"content_filter","message":{"content":""}}],)"
        R"("usage":{"prompt_tokens":7,"completion_tokens":1}})";

    EngineTest() {
        auto snapshot = std::make_shared<Snapshot>();
        for (const char* name : {"a", "b"}) {
            ProviderEntry entry = chatEntry(name);
            entry.plugin = *plugin::Provider::create(entry.plugin->image(),
                                                     R"({"base_url":"https://)" + std::string(name) + "\"}");
            entry.spec.retry.attempts = 1;
            limits::GateOptions options;
            options.limits.rpm = 5;
            entry.gate = std::make_shared<limits::Gate>(clock_, options, [] { return 0.5; });
            snapshot->providers.push_back(std::move(entry));
            weather_.of_host[name] = weather_.answer(200, kGood);
        }
        snapshots_.publish(std::move(snapshot));
        request_.question = std::make_shared<prompt::GenericPrompt>(
            std::make_shared<const json::Document>(std::move(json::parse(R"({"prompt":"say"})")).value()));
        request_.tenant_id = "t";
    }
    void configure(const std::function<void(config::Config&)>& change) {
        auto snapshot = std::make_shared<Snapshot>(*snapshots_.get());
        change(snapshot->config);
        snapshots_.publish(std::move(snapshot));
    }
    limits::Gate& gate(const char* name) { return *snapshots_.get()->find(name)->gate; }
    Outcome generate(const RunOptions& options = {}) {
        return engine_.generate(request_, clock_.now() + 60s, cancel_, options);
    }
    std::optional<UsageCounts> usageOf(const std::string& provider) {
        const auto held = usage_.of(usage_.today(), "", 10);
        const auto tenant = held.tenants.find("t");
        if (tenant == held.tenants.end()) return std::nullopt;
        for (const auto& used : tenant->second)
            if (used.provider == provider) return used.counts;
        return std::nullopt;
    }

    ManualClock clock_;
    SnapshotHolder snapshots_;
    Weather weather_;
    Metrics metrics_;
    Usage usage_{clock_};
    Engine engine_{{snapshots_, weather_, metrics_, clock_, nullptr, &usage_}};
    CancelToken cancel_;
    GenerateRequest request_;
};

TEST_F(EngineTest, TheFirstThatAnswersIsTheAnswer) {
    const auto outcome = generate();
    ASSERT_FALSE(outcome.failure);
    EXPECT_EQ(outcome.result, R"({"a":1})");
    EXPECT_EQ(outcome.provider, "a");
    EXPECT_EQ(outcome.usage.prompt, 9);
    EXPECT_EQ(outcome.attempts.size(), 1u) << "nothing is told of those behind it";
    EXPECT_EQ(weather_.calls, (std::map<std::string, int>{{"a", 1}}));
    EXPECT_EQ(gate("a").state().in_flight, 0);
}

TEST_F(EngineTest, WhoeverFailsIsFollowedByTheNext) {
    weather_.of_host["a"] = weather_.answer(503, R"({"error":{"message":"overloaded"}})");
    const auto outcome = generate();
    EXPECT_EQ(outcome.provider, "b");
    ASSERT_EQ(outcome.attempts.size(), 2u);
    EXPECT_EQ(outcome.attempts[0].error_code, "UPSTREAM_UNAVAILABLE");
    EXPECT_FALSE(outcome.attempts[0].of_request);
    EXPECT_FALSE(outcome.attempts[1].error);
    EXPECT_TRUE(snapshots_.get()->find("a")->chronicle->lastError());
}

TEST_F(EngineTest, AnAnswerThatDoesNotPassIsABadOne) {
    weather_.of_host["a"] = weather_.answer(200, kProse);
    const auto outcome = generate();
    EXPECT_EQ(outcome.provider, "b");
    EXPECT_EQ(outcome.attempts[0].error_code, "INVALID_RESPONSE");
    EXPECT_TRUE(outcome.attempts[0].of_request && outcome.attempts[0].last_word);
    EXPECT_EQ(gate("a").state().failures_in_row, 0) << "the provider works";
    EXPECT_EQ(usageOf("a")->failed, 0) << "it did answer";
}

TEST_F(EngineTest, WhatAFailedCallCostIsCounted) {
    weather_.of_host["a"] = weather_.answer(200, kCensored);
    const auto outcome = generate();
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->kind, Kind::Stopped) << "a refusal is not laundered";
    EXPECT_EQ(outcome.failure->code, "CONTENT_FILTERED");
    EXPECT_EQ(weather_.calls.count("b"), 0u);
    EXPECT_EQ(usageOf("a")->failed, 1);
    EXPECT_EQ(usageOf("a")->tokens_in, 7);
    EXPECT_EQ(usageOf("a")->tokens_out, 1);
}

TEST_F(EngineTest, TheFallbackTakesThePlaceOfWhatProvidersFailedOf) {
    for (const char* name : {"a", "b"}) weather_.of_host[name] = weather_.answer(500, "{}");
    configure([](config::Config& c) { c.fallback_enabled = true; });
    const auto given = generate();
    EXPECT_TRUE(given.fallback);
    EXPECT_FALSE(given.failure);
    EXPECT_EQ(given.provider, "fallback");
    EXPECT_THAT(given.warnings, testing::Contains(HasSubstr("no provider answered")));
    EXPECT_EQ(given.attempts.size(), 2u);

    RunOptions options;
    for (const auto when : {Fallback::Never, Fallback::WhenHopeless, Fallback::UnlessOutage}) {
        options.fallback = when;
        EXPECT_TRUE(generate(options).failure) << "it passes";
    }
    configure([](config::Config& c) { c.fallback_enabled = false; });
    EXPECT_TRUE(generate().failure);
}

TEST_F(EngineTest, ALimitIsWaitedForElsewhereUnlessConfiguredOtherwise) {
    for (const char* name : {"a", "b"})
        for (int i = 0; i < 5; ++i) {
            auto pass = *gate(name).tryEnter({}).pass;
            gate(name).sent(pass);
            gate(name).leave(pass, {limits::Report::Kind::Ok});
        }
    RunOptions options;
    options.wait = false;
    options.waiting_is_over = true;
    configure([](config::Config& c) { c.fallback_enabled = true; });
    const auto limited = generate(options);
    ASSERT_TRUE(limited.failure);
    EXPECT_EQ(limited.failure->kind, Kind::AllLimited);
    EXPECT_EQ(weather_.allCalls(), 0);
    configure([](config::Config& c) { c.fallback_when_limited = true; });
    EXPECT_TRUE(generate(options).fallback);
}

TEST_F(EngineTest, TheTimeThatACallTakesIsTheRequests) {
    configure([](config::Config& c) { c.fallback_enabled = false; });
    weather_.of_host["a"] = {failed(ErrorClass::Timeout, "no answer began in time")};
    weather_.asked = [this](const std::string&) { clock_.advance(60s); };
    const auto outcome = generate();
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->http_status, 504);
    EXPECT_EQ(outcome.total, 60s);
    EXPECT_EQ(weather_.calls.count("b"), 0u) << "no time is left for it";
    ASSERT_EQ(outcome.attempts.size(), 2u);
    EXPECT_EQ(outcome.attempts[0].duration, 60s);
    EXPECT_EQ(outcome.attempts[1].skipped, "deadline");
    EXPECT_EQ(gate("a").state().failures_in_row, 0) << "it was the caller's time that was up";
}

TEST_F(EngineTest, WhoeverEntersFirstTellsOnceAndProgressGrows) {
    int entered = 0;
    std::atomic<int> progress{0};
    std::vector<int> seen;
    weather_.of_host["a"] = weather_.answer(500, "{}");
    weather_.asked = [&](const std::string&) { seen.push_back(progress); };
    RunOptions options;
    options.entered = [&entered] { ++entered; };
    options.progress = &progress;
    EXPECT_EQ(generate(options).provider, "b");
    EXPECT_EQ(entered, 1);
    EXPECT_EQ(seen, (std::vector{10, 50}));
}

TEST_F(EngineTest, ACancelledRequestAsksNobodyElse) {
    CancelSource gone(CancelReason::ClientGone);
    cancel_.watch(gone);
    weather_.of_host["a"] = {failed(ErrorClass::Cancelled, "the client went away")};
    weather_.asked = [&gone](const std::string&) { gone.cancel(); };
    const auto outcome = generate();
    ASSERT_TRUE(outcome.failure);
    EXPECT_EQ(outcome.failure->code, "CANCELLED");
    EXPECT_EQ(weather_.allCalls(), 1);
    EXPECT_EQ(gate("a").state().in_flight, 0);
}

TEST_F(EngineTest, ItHasRoomForWhatTheQuotasLeave) {
    EXPECT_EQ(engine_.roomForJobs().now, 4) << "two slots each";
    (void)generate();
    for (int i = 0; i < 4; ++i) (void)generate();
    EXPECT_EQ(engine_.roomForJobs().now, 2) << "the quota of a is used up";
}

}  // namespace
}  // namespace stepper::engine
