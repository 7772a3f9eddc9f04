#include "core/prompt/generic_prompt.h"

#include <gtest/gtest.h>

namespace stepper::prompt {
namespace {

using output::Mode;

json::Document fallbackIn(Mode mode) { return GenericPrompt(nullptr, mode).fallback(Redaction::On); }

TEST(GenericPrompt, ItsFallbackIsWhatTheContractSays) {
    EXPECT_EQ(
        json::dump(fallbackIn(Mode::Json)),
        R"({"error":"GENERATION_FAILED","message":"Generation could not be completed because all configured providers failed.","retryable":true})");
    EXPECT_EQ(json::view(fallbackIn(Mode::Text)),
              "Generation could not be completed because all configured providers failed. Retry later.");
}

// Whether messages are rendered anew for another provider hangs on it.
TEST(GenericPrompt, OnlyAnotherSystemTextChangesItsWords) {
    const auto body = std::make_shared<json::Document>(json::parse(R"({"prompt":"p"})").value());
    const GenericPrompt prompt(body, Mode::Text);
    const Audience plain, named{config::PromptVariant::Short, "gemini", "m", ""}, pirate{{}, "", "", "Arr."};
    EXPECT_TRUE(prompt.sameWords(plain, named));
    EXPECT_FALSE(prompt.sameWords(plain, pirate));
    EXPECT_EQ(prompt.messages(plain, Redaction::On)->size(), 1u);
    EXPECT_EQ(prompt.messages(named, Redaction::On)->size(), 1u);
    EXPECT_EQ(prompt.messages(pirate, Redaction::On)->front().content, "Arr.");
}

}  // namespace
}  // namespace stepper::prompt
