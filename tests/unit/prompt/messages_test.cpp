#include "core/prompt/messages.h"

#include <gtest/gtest.h>

namespace stepper::prompt {
namespace {

TEST(Messages, JsonIsAskedForBeforeThePromptWithTheSchema) {
    Messages plain = {{"user", "hello"}};
    askForJson(plain, "");
    ASSERT_EQ(plain.size(), 2u);
    EXPECT_EQ(plain[0].role, "system");
    EXPECT_NE(plain[0].content.find("JSON"), std::string::npos);
    EXPECT_EQ(plain[0].content.find("schema"), std::string::npos);
    EXPECT_EQ(plain[1].content, "hello");

    Messages with_schema = {{"user", "hello"}};
    askForJson(with_schema, R"({"type":"array"})");
    EXPECT_NE(with_schema[0].content.find(R"({"type":"array"})"), std::string::npos);
}

TEST(Messages, JsonIsAskedForAtTheEndOfTheSystemTextThatIsThere) {
    Messages messages = {{"system", "Be kind."}, {"user", "a"}, {"assistant", "b"}, {"user", "c"}};
    askForJson(messages, "");
    ASSERT_EQ(messages.size(), 4u);
    EXPECT_TRUE(messages[0].content.starts_with("Be kind.\n\nAnswer with exactly one JSON value"));
}

}  // namespace
}  // namespace stepper::prompt
