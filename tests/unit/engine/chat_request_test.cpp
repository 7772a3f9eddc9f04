#include "core/engine/chat_request.h"

#include <gtest/gtest.h>

#include "core/prompt/generic_prompt.h"

namespace stepper::engine {
namespace {

using Schema = std::shared_ptr<const output::OutputSchema>;

GenerateRequest generic(std::string_view body, output::Mode mode = output::Mode::Json, Schema schema = {}) {
    GenerateRequest out;
    out.question = std::make_shared<prompt::GenericPrompt>(
        std::make_shared<json::Document>(json::parse(body).value()), mode, std::move(schema));
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

TEST(ChatRequest, TheRequestsTemperatureAndModelWinOverTheProviders) {
    config::Provider provider;
    provider.model = "m-1";
    auto request = generic(R"({"prompt":"hi"})");
    EXPECT_EQ(json::find(chatOf(request, provider), "temperature"), nullptr);
    provider.temperature = 0.2;
    EXPECT_EQ(json::number(chatOf(request, provider), "temperature"), 0.2);
    request.temperature = 0;
    request.model = "m-2";
    const auto chat = chatOf(request, provider);
    EXPECT_EQ(json::number(chat, "temperature"), 0.0);
    EXPECT_EQ(json::string(chat, "model"), "m-2");
}

TEST(ChatRequest, AConversationTravelsAndJsonIsAskedForInItsSystemText) {
    const auto* body = R"({"system":"Be kind.","messages":[{"role":"user","content":"a"},
                           {"role":"assistant","content":"b"},{"role":"user","content":"c"}]})";
    const auto text = chatOf(generic(body, output::Mode::Text)), json_mode = chatOf(generic(body));
    EXPECT_EQ(text["messages"].Size(), 4u);
    EXPECT_STREQ(json::at(text, "/messages/0/content")->GetString(), "Be kind.");
    EXPECT_STREQ(json::at(text, "/messages/2/role")->GetString(), "assistant");
    EXPECT_EQ(json_mode["messages"].Size(), 4u);
    EXPECT_TRUE(std::string(json::at(json_mode, "/messages/0/content")->GetString())
                    .starts_with("Be kind.\n\nAnswer with exactly one JSON value"));
}

TEST(Rendering, AProvidersSystemTextIsForRequestsThatHaveNone) {
    config::Provider pirate, plain;
    pirate.system = "Talk like a pirate.";
    const auto first = [](Rendering& rendering, const config::Provider& provider) {
        return rendering.of(provider).value().front().content;
    };
    const auto without = generic(R"({"prompt":"hi"})", output::Mode::Text);
    Rendering rendering(without, true);
    EXPECT_EQ(first(rendering, pirate), pirate.system);
    EXPECT_EQ(first(rendering, plain), "hi");
    EXPECT_EQ(rendering.bytes(pirate), pirate.system.size() + 2);
    for (const auto* own :
         {R"({"prompt":"hi","system":""})", R"({"prompt":"hi","system":"Be terse."})",
          R"({"messages":[{"role":"user","content":"hi"},{"role":"system","content":"x"}]})"}) {
        const auto request = generic(own, output::Mode::Text);
        Rendering of_own(request, true);
        EXPECT_NE(first(of_own, pirate), pirate.system) << own;
    }
}

TEST(ChatRequest, ASchemaTravelsAsResponseFormat) {
    const auto dsl =
        json::parse(R"({"kind":"http-json","requiredKeys":["a"],"properties":{"a":{"type":"string"}}})");
    const auto request = generic(R"({"prompt":"hi"})", output::Mode::Json,
                                 std::make_shared<output::OutputSchema>(*output::OutputSchema::parse(*dsl)));
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
