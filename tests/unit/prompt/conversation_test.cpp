#include "core/prompt/conversation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper::prompt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Lines = std::vector<std::string>;

json::Document read(const std::string& body) { return std::move(json::parse(body)).value(); }

// "ROLE: TEXT" of each message, or what is wrong.
Lines shown(const std::string& body, Redaction redaction = Redaction::Off) {
    const auto document = read(body);
    const auto messages = renderConversation(conversationIn(document), redaction);
    if (!messages) return {messages.error().message};
    Lines out;
    for (const auto& message : *messages) out.push_back(message.role + ": " + message.content);
    return out;
}

std::string problem(const std::string& body) {
    const auto document = read(body);
    const auto sound = checkConversation(conversationIn(document));
    return sound ? "" : sound.error().message;
}

std::string user(const std::string& text) {
    return R"({"messages":[{"role":"user","content":")" + text + R"("}]})";
}

TEST(Conversation, IsAPromptOrMessagesAfterTheSystemText) {
    EXPECT_THAT(shown(R"({"prompt":"hi"})"), ElementsAre("user: hi"));
    EXPECT_THAT(shown(R"({"prompt":"hi","system":"Be terse.","messages":null})"),
                ElementsAre("system: Be terse.", "user: hi"));
    EXPECT_THAT(shown(R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
                          {"role":"user","content":"c"}],"system":"s"})"),
                ElementsAre("system: s", "user: a", "assistant: b", "user: c"));
}

// vLLM's templates of some models take a system message in the first place only.
TEST(Conversation, SystemTextsThatComeFirstAreOneMessageAndLaterOnesStay) {
    EXPECT_THAT(shown(R"({"system":"a","messages":[{"role":"system","content":"b"},
                          {"role":"user","content":"c"},{"role":"system","content":"d"}]})"),
                ElementsAre("system: a\n\nb", "user: c", "system: d"));
    EXPECT_THAT(shown(R"({"system":" ","prompt":"x"})"), ElementsAre("user: x"));
}

TEST(Conversation, KnowsWhetherItSaysWhatTheSystemIs) {
    const auto says = [](const std::string& body) {
        const auto document = read(body);
        return conversationIn(document).hasSystem();
    };
    EXPECT_FALSE(says(R"({"prompt":"x"})"));
    EXPECT_FALSE(says(R"({"prompt":"x","system":null})"));
    EXPECT_FALSE(says(user("x")));
    EXPECT_TRUE(says(R"({"prompt":"x","system":""})"));
    EXPECT_TRUE(says(R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"x"}]})"));
}

TEST(Conversation, BesideAPromptObjectTheSystemTextHoldsItsPlaceholders) {
    EXPECT_THAT(shown(R"({"prompt":{"template":"{{payload.a}}","variables":{"who":"Ada"},"payload":{"a":1}},
                          "system":"You are {{ variables.who }}, {{metadata.m}}.","metadata":{"m":"kind"}})"),
                ElementsAre("system: You are Ada, kind.", "user: 1"));
    EXPECT_THAT(shown(R"({"prompt":"{{ payload.a }}","system":"{{ payload.a }}","payload":{"a":1}})"),
                ElementsAre("system: {{ payload.a }}", "user: {{ payload.a }}"));
}

TEST(Conversation, MessagesHoldPlaceholdersWhereThereIsAPayload) {
    EXPECT_THAT(
        shown(
            R"({"messages":[{"role":"user","content":"Is {{payload.a}} {{metadata.m}}?"}],"system":"{{payload.b}}",
                          "payload":{"a":"{{payload.b}}","b":2},"metadata":{"m":"odd"}})"),
        ElementsAre("system: 2", "user: Is {{payload.b}} odd?"));
    EXPECT_THAT(shown(user("what does {{ payload.a }} mean?")),
                ElementsAre("user: what does {{ payload.a }} mean?"));
}

TEST(Conversation, SecretsAreTakenOutOfEveryText) {
    const std::string body =
        R"({"system":"password=hunter2hunter2","messages":[{"role":"user","content":"password=hunter3hunter3"},
            {"role":"assistant","content":"password=hunter4hunter4"},{"role":"user","content":"go on"}]})";
    EXPECT_THAT(testing::PrintToString(shown(body)), HasSubstr("hunter2"));
    EXPECT_THAT(testing::PrintToString(shown(body, Redaction::On)), Not(HasSubstr("hunter")));
}

TEST(Conversation, WhatItIsNotIsSaid) {
    EXPECT_EQ(problem("{}"), "Missing required field: prompt");
    EXPECT_EQ(problem(R"({"prompt":1})"), "Invalid prompt: expected string or preset prompt object");
    EXPECT_EQ(problem(R"({"prompt":"x","messages":[]})"),
              "Invalid messages: a request has either a prompt or messages, not both");
    EXPECT_EQ(problem(R"({"prompt":"x","system":["s"]})"), "Invalid system: expected string");
    for (const auto* none : {"[]", "{}", R"("x")"})
        EXPECT_EQ(problem(std::string(R"({"messages":)") + none + "}"),
                  "Invalid messages: expected an array of 1 to 1000 messages");
    EXPECT_EQ(problem(R"({"messages":["x"]})"), R"(Invalid messages[0]: expected {"role", "content"})");
    EXPECT_EQ(problem(R"({"messages":[{"role":"tool","content":"x"}]})"),
              "Invalid messages[0].role: expected 'system', 'user', or 'assistant'");
    EXPECT_EQ(problem(R"({"messages":[{"role":"user","content":"x"},{"role":"user","content":[]}]})"),
              "Invalid messages[1].content: expected a string");
    EXPECT_EQ(problem(R"({"messages":[{"role":"system","content":"x"}]})"),
              "Invalid messages: none of them has the role 'user'");
    EXPECT_THAT(
        shown(R"({"messages":[{"role":"user","content":"{{payload.b}} "}],"payload":{"a":1}})"),
        ElementsAre("Rendered messages[0].content is empty. Leave the message out or give it a text."));
}

std::string many(size_t count, const std::string& text) {
    std::string out = R"({"messages":[)";
    for (size_t i = 0; i < count; ++i)
        out += (i ? "," : "") + std::string(R"({"role":"user","content":")") + text + R"("})";
    return out + "]";
}

TEST(Conversation, HasABoundInNumberAndInSizeOfAllTextsTogether) {
    EXPECT_EQ(problem(many(kMostMessages, "x") + "}"), "");
    EXPECT_THAT(problem(many(kMostMessages + 1, "x") + "}"), HasSubstr("expected an array of 1 to 1000"));
    const std::string half(kMaxPromptBytes / 2, 'x');
    EXPECT_EQ(shown(many(2, half) + "}").size(), 2u);
    for (const auto& body : {many(2, half) + R"(,"system":"s"})", many(3, half) + "}",
                             R"({"prompt":")" + half + half + R"(","system":"s"})",
                             many(3, "{{payload}}") + R"(,"payload":")" + half + R"("})"})
        EXPECT_THAT(shown(body), ElementsAre(HasSubstr("together longer than 4194304 bytes")));
}

}  // namespace
}  // namespace stepper::prompt
