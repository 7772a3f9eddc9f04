// Jobs through an outage of all providers, on a clock that the test moves.
#include <random>

#include <gtest/gtest.h>

#include "core/jobs/runner.h"
#include "core/prompt/generic_prompt.h"
#include "core/store/memory/store.h"
#include "tests/unit/engine/fake_transport.h"
#include "tests/unit/engine/support.h"

namespace stepper::jobs {
namespace {

using namespace std::chrono_literals;

class OutageTest : public testing::Test {
protected:
    OutageTest() {
        auto snapshot = std::make_shared<engine::Snapshot>();
        for (const char* name : {"a", "b", "c"}) {
            engine::ProviderEntry entry = engine::chatEntry(name);
            entry.plugin = *plugin::Provider::create(entry.plugin->image(),
                                                     R"({"base_url":"https://)" + std::string(name) + "\"}");
            entry.spec.retry.attempts = 1;
            limits::GateOptions options;
            options.limits.rpm = 60;
            entry.gate = std::make_shared<limits::Gate>(clock_, options, [] { return 0.5; });
            entry.chronicle = std::make_shared<engine::Chronicle>(name, clock_);
            snapshot->providers.push_back(std::move(entry));
        }
        snapshots_.publish(std::move(snapshot));
        for (const char* name : {"a", "b", "c"}) weather_.of_host[name] = weather_.answer(200, kGood);
    }

    static constexpr const char* kGood =
        R"({"choices":[{"finish_reason":"stop","message":{"content":"{\"a\":1}"}}]})";
    static constexpr const char* kProse =
        R"({"choices":[{"finish_reason":"stop","message":{"content":"I would rather not."}}]})";

    void allFail() {
        weather_.of_host["a"] = weather_.answer(503, R"({"error":{"message":"overloaded"}})");
        weather_.of_host["b"] = {engine::failed(ErrorClass::Transport, "connection refused")};
        weather_.of_host["c"] =
            weather_.answer(200, "<html>We are down for maintenance</html>", engine::kHtml);
    }
    void allAnswer(const char* body = kGood) {
        for (auto& [host, events] : weather_.of_host) events = weather_.answer(200, body);
    }

    void queue(int count) {
        for (int i = 0; i < count; ++i) {
            store::NewJob job;
            job.id = "job-" + std::to_string(queued_++);
            job.kind = "generate";
            ASSERT_TRUE(store_.enqueue(job).ok());
        }
    }
    // Runs what is due as the scheduler would, until then, or until nothing is left.
    void runUntil(SteadyTime end) {
        const auto decode = [](std::string_view, std::string_view) -> Result<engine::GenerateRequest> {
            engine::GenerateRequest out;
            out.question = std::make_shared<prompt::GenericPrompt>(
                std::make_shared<const json::Document>(json::parse(R"({"prompt":"say"})").value()));
            return out;
        };
        Runner runner({store_, engine_, snapshots_, metrics_, decode}, clock_, [this] { return chance(); });
        while (clock_.now() < end) {
            const auto room = engine_.roomForJobs();
            auto claims = store_.claim(store::Lane::Live, std::min(room.now, 4), 60s);
            ASSERT_TRUE(claims);
            for (auto& job : claims->jobs) {
                Running task(std::move(job), store::Lane::Live);
                task.begun = [] {};
                CancelToken cancel;
                runner.run(task, cancel);
            }
            const auto stats = store_.stats()->lanes[store::Lane::Live];
            if (stats.ready + stats.delayed == 0) return;
            if (claims->jobs.empty()) clock_.advance(250ms);
        }
    }
    // Not a standard distribution, which differs between libraries: what failed must fail again.
    double chance() { return static_cast<double>(random_() - 1) / static_cast<double>(random_.max()); }
    std::map<std::string, int> endings() {
        std::map<std::string, int> out;
        for (int i = 0; i < queued_; ++i) {
            const auto job = *store_.job("job-" + std::to_string(i));
            ++out[store::isFinal(job->state) ? std::string(store::name(job->state)) : "waiting"];
        }
        return out;
    }

    ManualClock clock_;
    store::MemoryStore store_{clock_, {}};
    engine::SnapshotHolder snapshots_;
    engine::Weather weather_;
    Metrics metrics_;
    engine::Engine engine_{{snapshots_, weather_, metrics_, clock_}};
    int queued_ = 0;
    std::minstd_rand random_{1};
};

class SeededOutageTest : public OutageTest, public testing::WithParamInterface<unsigned> {
protected:
    SeededOutageTest() { random_.seed(GetParam()); }
};

using Endings = std::map<std::string, int>;

TEST_F(OutageTest, TenMinutesCostNoJobItsAnswer) {
    allFail();
    queue(200);
    runUntil(clock_.now() + 10min);
    EXPECT_EQ(endings(), (Endings{{"waiting", 200}}));
    const int during = weather_.allCalls();
    EXPECT_GE(during, 3);
    EXPECT_LE(during, 100) << "200 jobs may not each ask how it is";

    allAnswer();
    const SteadyTime back = clock_.now();
    runUntil(back + 1h);
    EXPECT_EQ(endings(), (Endings{{"done", 200}}));
    EXPECT_LE(clock_.now() - back, 15min) << "the outage is over";
    EXPECT_LE(weather_.allCalls() - during, 200);
    RecordProperty("calls_during", during);
}

TEST_F(OutageTest, ALoneJobOutlivesItToo) {
    allFail();
    queue(1);
    runUntil(clock_.now() + 10min);
    EXPECT_EQ(endings(), (Endings{{"waiting", 1}}));
    EXPECT_EQ(store_.job("job-0").value()->attempts, 0) << "nobody said anything of this job";
    EXPECT_LE(weather_.allCalls(), 3 * 14);
    allAnswer();
    runUntil(clock_.now() + 10min);
    EXPECT_EQ(endings(), (Endings{{"done", 1}}));
}

TEST_F(OutageTest, ItIsOverForAJobWhenItHasWaitedItsLongest) {
    allFail();
    queue(1);
    runUntil(clock_.now() + Policy{}.max_wait + 10min);
    EXPECT_EQ(endings(), (Endings{{"substituted", 1}}));
    EXPECT_LE(weather_.allCalls(), 3 * 600) << "a day of it, at most one try every few minutes";
}

TEST_F(OutageTest, WhatAllModelsAnswerBadlyIsOverAfterOneCallEach) {
    allAnswer(kProse);
    queue(1);
    runUntil(clock_.now() + 1h);
    EXPECT_EQ(endings(), (Endings{{"substituted", 1}}));
    EXPECT_EQ(weather_.calls, (std::map<std::string, int>{{"a", 1}, {"b", 1}, {"c", 1}}));
}

TEST_F(OutageTest, OneThatAnsweredBadlyIsNotPaidAgainWhileAnotherIsWaitedFor) {
    allFail();
    weather_.of_host["a"] = weather_.answer(200, kProse);
    weather_.of_host["b"] =
        weather_.answer(400, R"({"error":{"message":"response_format is not supported"}})");
    queue(1);
    runUntil(clock_.now() + 10min);
    EXPECT_EQ(endings(), (Endings{{"waiting", 1}}));
    EXPECT_EQ(weather_.calls["a"], 1);
    EXPECT_EQ(weather_.calls["b"], 1);
    weather_.of_host["c"] = weather_.answer(200, kGood);
    runUntil(clock_.now() + 10min);
    EXPECT_EQ(endings(), (Endings{{"done", 1}}));
    EXPECT_EQ(weather_.calls["a"], 1);
}

// An answer that broke off is paid for, and may come whole the next time.
TEST_F(OutageTest, AJobCostsNoMoreCallsThanItMay) {
    for (const char* name : {"a", "b", "c"}) {
        weather_.of_host[name] = {weather_.answer(200, kGood).front(),
                                  engine::failed(ErrorClass::Transport, "connection reset")};
    }
    queue(1);
    runUntil(clock_.now() + 1h);
    EXPECT_EQ(endings(), (Endings{{"substituted", 1}}));
    EXPECT_EQ(weather_.allCalls(), Policy{}.max_calls);
}

// Others were answered a moment before it began, and not since.
TEST_F(OutageTest, ItsFirstMinuteTakesNoAttemptsOfWhoHasWaitedLong) {
    queue(120);
    runUntil(clock_.now() + 1ms);
    clock_.advance(150s);
    queue(60);
    clock_.advance(150s);
    runUntil(clock_.now() + 2s);
    for (const char* name : {"a", "b", "c"}) weather_.of_host[name] = weather_.answer(500, "{}");
    runUntil(clock_.now() + 10min);
    const auto during = endings();
    EXPECT_FALSE(during.contains("substituted") || during.contains("failed"));
    allAnswer();
    runUntil(clock_.now() + 1h);
    EXPECT_EQ(endings(), (Endings{{"done", 180}}));
}

// Its provider answers everybody else: it is no outage, and it would be asked, and paid for, all day.
TEST_P(SeededOutageTest, AJobThatFailsWhereOthersAreAnsweredIsNotAskedForADay) {
    for (const char* name : {"a", "b", "c"}) weather_.of_host[name] = weather_.answer(500, "{}");
    queue(1);
    const SteadyTime begun = clock_.now();
    while (endings().contains("waiting") && clock_.now() - begun < 2h) {
        runUntil(clock_.now() + 20s);
        // Somebody else is answered.
        for (const auto& provider : snapshots_.get()->providers) {
            auto entry = provider.gate->tryEnter({});
            if (!entry.pass) continue;
            provider.gate->sent(*entry.pass);
            provider.gate->leave(*entry.pass, {limits::Report::Kind::Ok});
        }
        clock_.advance(1s);
    }
    EXPECT_EQ(endings(), (Endings{{"substituted", 1}}));
    EXPECT_LE(clock_.now() - begun, 30min);
    EXPECT_LE(weather_.allCalls(), 3 * 20);
}
INSTANTIATE_TEST_SUITE_P(Chance, SeededOutageTest, testing::Range(1u, 101u));

TEST_F(OutageTest, AGatewaysTimeoutIsAnOutage) {
    for (const char* name : {"a", "b", "c"})
        weather_.of_host[name] = weather_.answer(504, "<html>504 Gateway Time-out</html>", engine::kHtml);
    queue(1);
    runUntil(clock_.now() + 10min);
    EXPECT_EQ(endings(), (Endings{{"waiting", 1}}));
}

// Every attempt would be burnt on the one that is down while the other only has to be waited for.
TEST_F(OutageTest, OneThatIsDownDoesNotUseUpAttemptsWhileAnotherIsToBeWaitedFor) {
    weather_.of_host["a"] = weather_.answer(503, "{}");
    weather_.of_host["b"] = weather_.answer(503, "{}");
    weather_.of_host["c"] =
        weather_.answer(429, "{}", {{"retry-after", "120"}, {"content-type", "application/json"}});
    queue(1);
    runUntil(clock_.now() + 30s);
    weather_.of_host["c"] = weather_.answer(200, kGood);
    const SteadyTime since = clock_.now();
    runUntil(since + 10min);
    EXPECT_EQ(endings(), (Endings{{"done", 1}}));
    EXPECT_LE(clock_.now() - since, 110s) << "it is there when the other is";
}

}  // namespace
}  // namespace stepper::jobs
