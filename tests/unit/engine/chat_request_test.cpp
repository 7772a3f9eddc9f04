#include "core/engine/chat_request.h"

#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

GenerateRequest generic(std::string_view body, output::Mode mode = output::Mode::Json) {
    GenerateRequest out;
    out.subject = GenericPrompt{std::make_shared<json::Document>(json::parse(body).value())};
    out.mode = mode;
    return out;
}

json::Document chatOf(const GenerateRequest& request, const config::Provider& provider = {}) {
    const auto messages = messagesFor(request, provider, true);
    EXPECT_TRUE(messages.ok());
    return json::parse(chatRequestJson(request, provider, *messages, true)).value();
}

TEST(ChatRequest, HasTheShapePluginsExpect) {
    config::Provider provider;
    provider.model = "m-1";
    provider.max_tokens = 100;
    auto request = generic(R"({"prompt":"hi"})", output::Mode::Text);
    const auto chat = chatOf(request, provider);
    EXPECT_EQ(json::string(chat, "model"), "m-1");
    EXPECT_EQ(json::integer(chat, "max_tokens"), 100);
    EXPECT_EQ(json::boolean(chat, "stream"), true);
    EXPECT_EQ(chat["messages"].Size(), 1u);
    EXPECT_EQ(json::at(chat, "/messages/0/content")->GetString(), std::string("hi"));
    request.max_output_tokens = 5;
    EXPECT_EQ(json::integer(chatOf(request, provider), "max_tokens"), 5);
}

TEST(ChatRequest, JsonModeAsksForJsonButForcesNoObject) {
    const auto chat = chatOf(generic(R"({"prompt":"hi"})"));
    EXPECT_EQ(json::find(chat, "response_format"), nullptr);
    EXPECT_EQ(json::at(chat, "/messages/0/role")->GetString(), std::string("system"));
}

TEST(ChatRequest, ASchemaTravelsAsResponseFormat) {
    auto request = generic(R"({"prompt":"hi"})");
    const auto dsl =
        json::parse(R"({"kind":"http-json","requiredKeys":["a"],"properties":{"a":{"type":"string"}}})");
    request.schema = std::make_shared<output::OutputSchema>(*output::OutputSchema::parse(*dsl));
    const auto chat = chatOf(request);
    EXPECT_EQ(json::at(chat, "/response_format/type")->GetString(), std::string("json_schema"));
    EXPECT_EQ(json::at(chat, "/response_format/json_schema/schema/properties/a/type")->GetString(),
              std::string("string"));
}

TEST(ChatRequest, SecretsAreTakenOutUnlessSwitchedOff) {
    const auto request = generic(R"({"prompt":"my key is sk-ant-REDACTED"})", output::Mode::Text);
    const auto kept = messagesFor(request, {}, false), cleaned = messagesFor(request, {}, true);
    EXPECT_NE((*kept)[0].content.find("sk-ant"), std::string::npos);
    EXPECT_EQ((*cleaned)[0].content.find("sk-ant-api03-abcdef"), std::string::npos);
}

TEST(ChatRequest, AnEmptyPromptIsSaidToBeOne) {
    const auto messages = messagesFor(generic(R"({"prompt":"   "})"), {}, true);
    ASSERT_FALSE(messages.ok());
    EXPECT_EQ(messages.error().message, "Rendered prompt is empty. Provide a non-empty prompt or template.");
}

}  // namespace
}  // namespace stepper::engine
