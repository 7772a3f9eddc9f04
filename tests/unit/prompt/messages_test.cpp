#include "core/prompt/messages.h"

#include <gtest/gtest.h>

#include "core/prompt/fallback.h"

namespace stepper::prompt {
namespace {

TEST(Messages, TextModeIsTheUserMessageAlone) {
    const auto messages = genericMessages("hello", false, "");
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].role, "user");
    EXPECT_EQ(messages[0].content, "hello");
}

TEST(Messages, JsonModeAsksForJsonAndShowsTheSchema) {
    const auto plain = genericMessages("hello", true, "");
    ASSERT_EQ(plain.size(), 2u);
    EXPECT_EQ(plain[0].role, "system");
    EXPECT_NE(plain[0].content.find("JSON"), std::string::npos);
    EXPECT_EQ(plain[0].content.find("schema"), std::string::npos);
    EXPECT_EQ(plain[1].content, "hello");

    const auto with_schema = genericMessages("hello", true, R"({"type":"array"})");
    EXPECT_NE(with_schema[0].content.find(R"({"type":"array"})"), std::string::npos);
}

TEST(Fallback, IsWhatTheContractSays) {
    EXPECT_EQ(
        json::dump(fallbackJson()),
        R"({"error":"GENERATION_FAILED","message":"Generation could not be completed because all configured providers failed.","retryable":true})");
    EXPECT_EQ(fallbackText(), "Generation could not be completed because all configured providers failed.");
}

}  // namespace
}  // namespace stepper::prompt
