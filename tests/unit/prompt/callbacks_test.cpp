#include "core/prompt/callbacks.h"

#include <gtest/gtest.h>

namespace stepper::prompt {
namespace {

std::string problem(const std::string& callbacks) {
    const auto sound = checkCallbacks(std::move(json::parse(callbacks)).value());
    return sound ? "" : sound.error().message;
}

// One callback with these members beside its URL.
std::string problemWith(const std::string& rest) {
    return problem(R"([{"url":"http://a.example",)" + rest + "}]");
}

std::string headers(int how_many) {
    std::string out = "{";
    for (int i = 0; i < how_many; ++i) out += (i ? ",\"h" : "\"h") + std::to_string(i) + "\":\"x\"";
    return out + "}";
}

TEST(Callbacks, AreRefusedInTheContractsWords) {
    const std::string long_text(2'049, 'x');
    const std::pair<std::string, const char*> cases[] = {
        {problem("{}"), "callbacks: Expected array, received object"},
        {problem("[{},{},{},{},{},{}]"), "callbacks: Array must contain at most 5 element(s)"},
        {problem("[1]"), "callbacks.0: Expected object, received number"},
        {problem(R"([{"url":"http://a.example"},{}])"), "callbacks.1.url: Required"},
        {problem(R"([{"url":5}])"), "callbacks.0.url: Expected string, received number"},
        {problem(R"([{"url":""}])"), "callbacks.0.url: Invalid url"},
        {problem(R"([{"url":"nope"}])"), "callbacks.0.url: Invalid url"},
        {problem(R"([{"url":"http://"}])"), "callbacks.0.url: Invalid url"},
        {problem(R"([{"url":"ftp://a.example"}])"), "callbacks.0.url: Callback URL origin is not allowed"},
        {problem(R"([{"url":"http://a.example/)" + long_text + R"("}])"),
         "callbacks.0.url: String must contain at most 2048 character(s)"},
        {problemWith(R"("headers":[])"), "callbacks.0.headers: Expected object, received array"},
        {problemWith(R"("headers":{"a":1})"), "callbacks.0.headers.a: Expected string, received number"},
        {problemWith(R"("headers":{"a":")" + long_text + R"("})"),
         "callbacks.0.headers.a: String must contain at most 2048 character(s)"},
        {problemWith("\"headers\":" + headers(21)),
         "callbacks.0.headers: Callback headers must not exceed 20 entries"},
        {problemWith(R"("continueOnFailure":1)"),
         "callbacks.0.continueOnFailure: Expected boolean, received number"},
        {problemWith(R"("retry":5)"), "callbacks.0.retry: Expected object, received number"},
        {problemWith(R"("retry":{})"), "callbacks.0.retry.maxAttempts: Required"},
        {problemWith(R"("retry":{"maxAttempts":"3"})"),
         "callbacks.0.retry.maxAttempts: Expected number, received string"},
        {problemWith(R"("retry":{"maxAttempts":1.5})"),
         "callbacks.0.retry.maxAttempts: Expected integer, received float"},
        {problemWith(R"("retry":{"maxAttempts":0})"),
         "callbacks.0.retry.maxAttempts: Number must be greater than or equal to 1"},
        {problemWith(R"("retry":{"maxAttempts":6})"),
         "callbacks.0.retry.maxAttempts: Number must be less than or equal to 5"},
        {problemWith(R"("retry":{"maxAttempts":5,"backoffMs":99})"),
         "callbacks.0.retry.backoffMs: Number must be greater than or equal to 100"},
    };
    for (const auto& [said, words] : cases) EXPECT_EQ(said, words);
}

TEST(Callbacks, AreTakenWhereTheyCouldBeCalled) {
    EXPECT_EQ(problem("[]"), "");
    EXPECT_EQ(problem(R"([{"url":"HTTPS://a.example:8443/x?y"}])"), "");
    EXPECT_EQ(problemWith("\"headers\":" + headers(20) +
                          R"(,"continueOnFailure":true,"retry":{"maxAttempts":5,"backoffMs":60000})"),
              "");
}

}  // namespace
}  // namespace stepper::prompt
