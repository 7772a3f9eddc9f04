// Outcomes in the words of the contract.
#include "core/engine/outcome_json.h"

#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

Outcome answered() {
    Outcome out;
    out.provider = "one";
    out.validated = true;
    out.total = milliseconds{5};
    return out;
}

TEST(AnswerMeta, LeavesOutWhatSaysNothing) {
    EXPECT_EQ(answerMeta(answered()), R"({"provider":"one","fallback":false,"validated":true,)"
                                      R"("timings":{"totalMs":5},"providersAttempted":[]})");
}

TEST(AnswerMeta, TellsTheProvidersOwnEnding) {
    Outcome out = answered();
    out.finish = "length";
    out.model = "m-2026-01";
    out.usage.prompt = 12;
    out.usage.completion = 0;
    out.usage.reasoning = 7;
    out.cost = 0.25;
    out.truncated = out.repaired = true;
    out.warnings = {"w"};
    EXPECT_EQ(answerMeta(out),
              R"({"provider":"one","fallback":false,"validated":true,"timings":{"totalMs":5},)"
              R"("providersAttempted":[],"finishReason":"length","model":"m-2026-01",)"
              R"("usage":{"promptTokens":12,"completionTokens":0,"reasoningTokens":7},"cost":0.25,)"
              R"("truncated":true,"repaired":true,"warnings":["w"]})");
}

TEST(AnswerMeta, EveryMemberOfTheEndingIsListed) {
    Outcome out = answered();
    out.finish = out.model = "x";
    out.usage.total = 1;
    out.cost = 1;
    out.truncated = out.repaired = true;
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    putEnding(w, out);
    w.EndObject();
    const auto written = json::parse({buffer.GetString(), buffer.GetSize()});
    ASSERT_TRUE(written.ok());
    EXPECT_EQ(written->MemberCount(), std::size(kEndingMembers));
    for (const auto member : kEndingMembers) EXPECT_NE(json::find(*written, member), nullptr) << member;
}

}  // namespace
}  // namespace stepper::engine
