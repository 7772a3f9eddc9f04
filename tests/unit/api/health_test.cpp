#include "core/api/health.h"

#include <gtest/gtest.h>

#include "core/base/json.h"
#include "tests/unit/engine/support.h"

namespace stepper::api {
namespace {

using namespace std::chrono_literals;
using limits::Denial;
using limits::GateState;

GateState denied(Denial why, milliseconds ready_in = 0ms) {
    GateState out;
    out.denied = why;
    out.ready_in = ready_in;
    return out;
}

const store::Health kStoreWorks;

class HealthTest : public testing::Test {
protected:
    HealthTest() {
        snapshot_.providers.push_back(engine::shoutEntry("one", true));
        snapshot_.providers.push_back(engine::shoutEntry("two", true));
        snapshot_.providers.push_back(engine::shoutEntry("off", false));
        snapshot_.providers.back().disabled_reason = "it has no key";
    }
    Health health(const GateState& one, const GateState& two, const store::Health& store = kStoreWorks,
                  const engine::ReloadReport& files = {}) {
        return healthOf(snapshot_, {one, two, {}}, store, files);
    }
    // The first provider as it is shown.
    std::string shown(const GateState& one) {
        const auto parsed =
            json::parse(healthJson(snapshot_, {one, {}, {}}, kStoreWorks, {}, WallTime{}, false));
        EXPECT_TRUE(parsed.ok());
        return json::dump(*json::at(*parsed, "/providers/0"));
    }
    std::string member(const GateState& one, std::string_view key) {
        const auto parsed = json::parse(shown(one));
        const auto* found = json::find(*parsed, key);
        return found ? json::dump(*found) : "absent";
    }
    engine::Snapshot snapshot_;
};

TEST_F(HealthTest, BeingUsedIsNotBeingIll) {
    EXPECT_EQ(health({}, {}), Health::Healthy);
    EXPECT_EQ(health(denied(Denial::Busy), denied(Denial::RateLimited)), Health::Healthy);
    EXPECT_EQ(health(denied(Denial::CircuitOpen), {}), Health::Degraded);
    EXPECT_EQ(health(denied(Denial::Disabled), {}), Health::Degraded);
    EXPECT_EQ(health(denied(Denial::CircuitOpen), denied(Denial::Disabled)), Health::Unhealthy);
}

TEST_F(HealthTest, RefusedFilesAreToldButHarmNobody) {
    engine::ReloadReport files;
    files.problems = {"providers.yaml:3:5: limits.rpm: expected a whole number"};
    EXPECT_EQ(health({}, {}, kStoreWorks, files), Health::Degraded);
    const auto shown =
        json::parse(healthJson(snapshot_, {{}, {}, {}}, kStoreWorks, files, WallTime{}, false));
    EXPECT_EQ(json::dump(*json::at(*shown, "/config")),
              R"({"status":"refused","generation":0,"problems":["providers.yaml:3:5: limits.rpm: )"
              R"(expected a whole number"]})");
}

TEST_F(HealthTest, TheStoreCounts) {
    using Status = store::Health::Status;
    EXPECT_EQ(health({}, {}, {Status::Degraded, "slow"}), Health::Degraded);
    EXPECT_EQ(health({}, {}, {Status::Failed, "gone"}), Health::Unhealthy);
}

TEST_F(HealthTest, WithoutProvidersNothingCanBeDone) {
    snapshot_.providers.erase(snapshot_.providers.begin(), snapshot_.providers.begin() + 2);
    EXPECT_EQ(healthOf(snapshot_, {{}}, kStoreWorks, {}), Health::Unhealthy);
}

TEST_F(HealthTest, AProviderShowsWhatIsKnownOfIt) {
    auto state = denied(Denial::RateLimited, 6500ms);
    state.in_flight = 2;
    state.failures_in_row = 3;
    state.p50 = 120ms;
    state.p95 = 900ms;
    state.quotas = {{"rpm", limits::Unit::Requests, 8, 8, 10, 1200ms, 60s},
                    {"tpd", limits::Unit::Tokens, 1000, 1100, 1000, 3600s, 3600s}};
    EXPECT_EQ(
        shown(state),
        R"({"name":"one","circuitOpen":false,"healthy":true,"retryAfterSeconds":7,)"
        R"("lastChecked":"1970-01-01T00:00:00.000Z","inferredFrom":"circuit_breaker","supportsBatch":false,)"
        R"("maxTokens":null,"state":"rate_limited","reason":"its limit is used up: rpm","plugin":"shout",)"
        R"("model":"m-1","inFlight":2,"consecutiveFailures":3,"latency":{"p50Ms":120,"p95Ms":900},"quotas":[)"
        R"({"window":"rpm","unit":"requests","limit":8,"configured":10,"used":8,"remaining":0,)"
        R"("moreInSeconds":2,"resetInSeconds":60},)"
        R"({"window":"tpd","unit":"tokens","limit":1000,"used":1100,"remaining":0,)"
        R"("moreInSeconds":3600,"resetInSeconds":3600}]})");
}

TEST_F(HealthTest, EveryStateHasItsWordAndReason) {
    const std::tuple<GateState, const char*, const char*, const char*> cases[] = {
        {{}, R"("ready")", "absent", "true"},
        {denied(Denial::Busy), R"("busy")", R"("all of its slots are taken")", "true"},
        {denied(Denial::CircuitOpen), R"("circuit_open")", R"("it failed too often")", "false"},
        {denied(Denial::Disabled), R"("disabled")",
         R"("the provider refused its key; correct it, or wait for the next try")", "false"},
    };
    for (const auto& [state, word, reason, healthy] : cases) {
        EXPECT_EQ(member(state, "state"), word);
        EXPECT_EQ(member(state, "reason"), reason) << word;
        EXPECT_EQ(member(state, "healthy"), healthy) << word;
        EXPECT_EQ(member(state, "circuitOpen"), state.denied == Denial::CircuitOpen ? "true" : "false");
    }
}

TEST_F(HealthTest, WhoIsOffSaysWhy) {
    snapshot_.config.queue.workers = 0;
    const auto parsed = json::parse(healthJson(snapshot_, {{}, {}, {}}, kStoreWorks, {}, WallTime{}, true));
    EXPECT_EQ(json::integer(*json::find(*parsed, "jobs"), "workers"), 0);
    EXPECT_TRUE(json::string(*json::find(*parsed, "jobs"), "reason"));
    ASSERT_TRUE(parsed.ok());
    const auto& off = *json::at(*parsed, "/providers/2");
    EXPECT_EQ(json::string(off, "state"), "disabled");
    EXPECT_EQ(json::string(off, "reason"), "it has no key");
    EXPECT_EQ(json::boolean(off, "healthy"), false);
    EXPECT_EQ(json::string(*parsed, "contractVersion"), "1");
}

}  // namespace
}  // namespace stepper::api
