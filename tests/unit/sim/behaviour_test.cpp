#include "tools/provider-sim/behaviour.h"

#include <gtest/gtest.h>

#include "tests/unit/sim/raw_client.h"
#include "tools/provider-sim/instance.h"
#include "tools/provider-sim/render.h"
#include "tools/provider-sim/retry_date.h"

namespace stepper::sim {
namespace {

std::string errorOf(std::string_view text) {
    const auto behaviour = parseBehaviour(parsed(text));
    return behaviour ? "" : behaviour.error().message;
}

std::vector<std::string> labels(std::string_view behaviour, int calls) {
    Instance instance(parseBehaviour(parsed(behaviour)).value());
    std::vector<std::string> out;
    for (int i = 0; i < calls; ++i) out.push_back(instance.decide({.now = SteadyTime{}}).step->label);
    return out;
}

TEST(Behaviour, NamesThePlaceAndTheNearestMember) {
    EXPECT_EQ(errorOf(R"({"stepz":[]})"), "behaviour: unknown member 'stepz', did you mean 'steps'?");
    EXPECT_EQ(errorOf(R"({"steps":[{"ok":true},{"hangs":"head"}]})"),
              "behaviour.steps[1]: unknown member 'hangs', did you mean 'hang'?");
    EXPECT_EQ(errorOf(R"({"steps":[{"hang":"tail"}]})"),
              "behaviour.steps[0].hang: expected 'connect', 'head' or 'body'");
    EXPECT_EQ(errorOf(R"({"steps":{"ok":true}})"), "behaviour.steps: expected an array of steps");
    EXPECT_NE(errorOf(R"({"quota":{"request":1}})"), "");
    EXPECT_NE(errorOf(R"({"latency_ms":{"min":5,"max":1}})"), "");
    EXPECT_NE(errorOf("[]"), "");
    EXPECT_EQ(errorOf("{}"), "");
}

TEST(Behaviour, EveryStepOfTheReadmeIsAccepted) {
    for (const auto* step :
         {R"({"ok":true})",
          R"({"status":429,"retry_after":"7"})",
          R"({"status":429,"retry_after":7.5})",
          R"({"status":429,"retry_after":["1","2"]})",
          R"({"status":429,"retry_after":{"in_s":-5,"as":"rfc850"}})",
          R"({"status":429,"retry_after_ms":"120.5","retry_info":"34s","try_again_in":"7.66s"})",
          R"({"error":"quota","message":"no"})",
          R"({"hang":"connect"})",
          R"({"delay_ms":100})",
          R"({"drip":{"bytes":1,"every_ms":50}})",
          R"({"reset":"mid_head"})",
          R"({"truncate":0.5})",
          R"({"content_length":100})",
          R"({"content_length":"garbage"})",
          R"({"body":"raw","content_type":"text/html","headers":{"a":"b"}})",
          R"({"html":true})",
          R"({"invalid_json":true})",
          R"({"empty":true})",
          R"({"huge":1073741824})",
          R"({"endless":"headers"})",
          R"({"gzip":true})",
          R"({"gzip_bomb":10737418240})",
          R"({"encoding":"unknown"})",
          R"({"redirect":"http://169.254.169.254/"})",
          R"({"stream_cut_after":3})",
          R"({"stream_error_after":2})",
          R"({"no_done":true})",
          R"({"finish":"length","reasoning":"r","refusal":"no","usage":null})",
          R"({"answer":null})",
          R"({"usage":{"prompt":1,"completion":2,"reasoning":3}})",
          R"({"close":"silent"})",
          R"({"line_end":"cr","bom":true,"chunk_delay_ms":1})",
          R"({"error":"quota","on":"result"})"}) {
        const auto read = parseStep(parsed(step), "step");
        EXPECT_TRUE(read.ok()) << step << ": " << (read ? "" : read.error().message);
    }
}

TEST(Behaviour, TheScriptEndsAsItSays) {
    const std::string a = R"({"status":500})", b = R"({"status":503})";
    const auto with = [&](std::string_view then) {
        return R"({"steps":[)" + a + "," + b + R"(],"then":")" + std::string(then) + R"("})";
    };
    EXPECT_EQ(labels(with("last"), 4), (std::vector<std::string>{a, b, b, b}));
    EXPECT_EQ(labels(with("repeat"), 4), (std::vector<std::string>{a, b, a, b}));
    EXPECT_EQ(labels(with("ok"), 4), (std::vector<std::string>{a, b, "ok", "ok"}));
}

TEST(Behaviour, FailureRateFollowsItsSeed) {
    const std::string half = R"({"fail_rate":{"p":0.5,"status":500,"seed":3}})";
    const auto once = labels(half, 200);
    EXPECT_EQ(once, labels(half, 200));
    const auto failed = std::count(once.begin(), once.end(), "fail_rate");
    EXPECT_GT(failed, 70);
    EXPECT_LT(failed, 130);
    EXPECT_EQ(labels(R"({"fail_rate":{"p":1}})", 2), (std::vector<std::string>{"fail_rate", "fail_rate"}));
}

TEST(Behaviour, LatencyStaysInItsRange) {
    Instance instance(parseBehaviour(parsed(R"({"latency_ms":{"min":10,"max":20,"seed":1}})")).value());
    for (int i = 0; i < 50; ++i) {
        const auto latency = instance.decide({.now = SteadyTime{}}).latency.count();
        EXPECT_GE(latency, 10);
        EXPECT_LE(latency, 20);
    }
}

TEST(Behaviour, ASleeperWakesByCallsOrByTime) {
    EXPECT_EQ(labels(R"({"sleep":{"calls":2}})", 3), (std::vector<std::string>{"asleep", "asleep", "ok"}));
    Instance timed(parseBehaviour(parsed(R"({"sleep":{"ms":300}})")).value());
    ManualClock clock;
    EXPECT_EQ(timed.decide({.now = clock.now()}).step->label, "asleep");
    clock.advance(milliseconds{299});
    EXPECT_EQ(timed.decide({.now = clock.now()}).step->label, "asleep");
    clock.advance(milliseconds{1});
    EXPECT_EQ(timed.decide({.now = clock.now()}).step->label, "ok");
}

TEST(Behaviour, ScriptFilesNameTheInstance) {
    const auto good = parseScript(R"({"instances":{"one":{"answer":"x"},"two":{}}})");
    ASSERT_TRUE(good.ok());
    EXPECT_EQ(good.value().at("one").answer, "x");
    const auto bad = parseScript(R"({"instances":{"one":{"anser":"x"}}})");
    ASSERT_FALSE(bad.ok());
    EXPECT_EQ(bad.error().message,
              "instance 'one': behaviour: unknown member 'anser', did you mean 'answer'?");
    EXPECT_FALSE(parseScript(R"({"one":{}})").ok());
}

TEST(DefaultAnswer, EchoThenReportThenCoffee) {
    EXPECT_EQ(defaultAnswer("say ECHO:[1,2]:ECHO now"), "[1,2]");
    EXPECT_EQ(defaultAnswer("ECHO:a:ECHO and ECHO:b:ECHO"), "b");
    EXPECT_EQ(defaultAnswer("ECHO::ECHO"), "");
    EXPECT_EQ(defaultAnswer(":ECHO first"), R"({"product":"Coffee beans","price":18})");
    const auto report = parsed(defaultAnswer("fill impact_and_tests and next_steps"));
    EXPECT_EQ(json::string(report, "tags"), "auth, bugfix");
}

TEST(HttpDate, AllThreeForms) {
    const WallTime when{std::chrono::seconds{784111777}};
    EXPECT_EQ(httpDate(when, DateForm::ImfFixdate), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(httpDate(when, DateForm::Rfc850), "Sunday, 06-Nov-94 08:49:37 GMT");
    EXPECT_EQ(httpDate(when, DateForm::Asctime), "Sun Nov  6 08:49:37 1994");
}

}  // namespace
}  // namespace stepper::sim
