// What becomes of an answer, by how its provider said that it ended.
#include "core/engine/judge.h"

#include <gtest/gtest.h>

#include "core/prompt/generic_prompt.h"
#include "core/report/commit_report.h"

namespace stepper::engine {
namespace {

using output::Mode;

Attempted ending(std::string_view finish, std::string_view text) {
    Attempted out;
    out.answer.finish = finish;
    out.answer.text = text;
    out.concluded = true;
    return out;
}

std::string problem(const Attempted& answer, const prompt::Question& asked) {
    const auto value = judge(answer, asked);
    return value ? "" : value.error().message;
}

std::string problem(const Attempted& answer, Mode mode = Mode::Json) {
    return problem(answer, prompt::GenericPrompt(nullptr, mode));
}

TEST(Judge, OnlyTheTokenLimitCuts) {
    EXPECT_TRUE(isCut("length"));
    for (const auto* finish : {"stop", "tool_calls", "content_filter", "other", ""})
        EXPECT_FALSE(isCut(finish)) << finish;
}

TEST(Judge, ACutTextIsStillAText) {
    EXPECT_EQ(problem(ending("length", "The answer is that"), Mode::Text), "");
}

// 567-labs/instructor#276, TanStack/ai#1426: a parse error sends people after the model's formatting.
TEST(Judge, ACutJsonAnswerSaysSo) {
    for (const auto* text : {R"({"name": "Jo)", "{", R"(```json
{"a": [1, 2)",
                             "Here is the JSON you asked for:"})
        EXPECT_EQ(problem(ending("length", text)),
                  "The answer was cut off by its token limit, raise maxOutputTokens")
            << text;
    EXPECT_EQ(judge(ending("length", "{"), prompt::GenericPrompt(nullptr)).error().error_class,
              ErrorClass::InvalidRequest);
    auto counted = ending("length", R"([1, )");
    counted.answer.usage.completion = 16;
    EXPECT_EQ(problem(counted),
              "The answer was cut off by its token limit after 16 tokens, raise maxOutputTokens");
}

TEST(Judge, ACutReportSaysSo) {
    const auto said = problem(ending("length", R"({"title": "Fix the lo)"), report::CommitReport({}));
    EXPECT_NE(said.find("raise maxOutputTokens"), std::string::npos) << said;
}

TEST(Judge, WhatIsWrongForOtherReasonsKeepsItsReason) {
    const auto said = problem(ending("stop", "I cannot do that."));
    EXPECT_NE(said, "");
    EXPECT_EQ(said.find("cut off"), std::string::npos) << said;
}

TEST(Judge, AValueThatWasWholeBeforeTheCutIsOne) {
    EXPECT_EQ(problem(ending("length", "{\"a\": 1}\nLet me expl")), "");
}

TEST(FlawOf, AnEmptyAnswerOrACensoredOneIsNone) {
    plugin::Answer answer;
    answer.text = "   ";
    EXPECT_EQ(flawOf(answer)->error_class, ErrorClass::BadResponse);
    answer.finish = "length";
    EXPECT_EQ(flawOf(answer)->error_class, ErrorClass::InvalidRequest);
    answer.text = "half a";
    EXPECT_FALSE(flawOf(answer));
    answer.finish = "content_filter";
    EXPECT_EQ(flawOf(answer)->error_class, ErrorClass::ContentBlocked);
}

}  // namespace
}  // namespace stepper::engine
