#include "core/report/commit_report.h"

#include <gtest/gtest.h>

namespace stepper::report {
namespace {

using config::PromptVariant;

// Whether messages are rendered anew for another provider hangs on it.
TEST(CommitReportQuestion, OnlyAnotherVariantChangesItsWords) {
    const CommitReport question(Commit{"u", "sha", "o/r", "Fix it", {}, {}, "", {}, {}, "[]", ""});
    const auto words = [&](const prompt::Audience& to) {
        return question.messages(to, prompt::Redaction::On)->front().content;
    };
    const prompt::Audience large{{}, "openai-compatible", "large", ""},
        other{PromptVariant::Detailed, "cohere", "m-mini", "Talk like a pirate."},
        small{{}, "openai-compatible", "gpt-4o-mini", ""}, gemini{{}, "gemini", "gemini-2.5-flash-lite", ""};
    EXPECT_TRUE(question.sameWords(large, other));
    EXPECT_EQ(words(large), words(other));
    const std::pair<const prompt::Audience*, const prompt::Audience*> unlike[] = {
        {&large, &small}, {&large, &gemini}, {&small, &gemini}};
    for (const auto& [a, b] : unlike) {
        EXPECT_FALSE(question.sameWords(*a, *b)) << a->model << ", " << b->model;
        EXPECT_NE(words(*a), words(*b)) << a->model << ", " << b->model;
    }
}

}  // namespace
}  // namespace stepper::report
