#include "core/report/commit.h"

#include <gtest/gtest.h>

namespace stepper::report {
namespace {

constexpr const char* kComplete =
    R"({"userId":" user_123 ","commitSha":"cmwq2ltnx","repo":"myorg/myrepo","message":"Fix bug\n","files":[" src/app.ts"],
        "components":["app"],"diffSummary":"+ fixed validation"})";

// The complete body with one member replaced by `value` (JSON), or removed when it is "".
Result<Commit> parsedWith(const char* field, const std::string& value) {
    auto body = std::move(json::parse(kComplete)).value();
    body.RemoveMember(field);
    auto replacement = value.empty() ? json::Document() : std::move(json::parse(value)).value();
    if (!value.empty())
        json::set(body, field, json::Value(replacement, body.GetAllocator()), body.GetAllocator());
    return parseCommit(body);
}

std::string quoted(const std::string& s) { return '"' + s + '"'; }

std::string arrayOf(size_t n, const std::string& item) {
    std::string out = "[";
    for (size_t i = 0; i < n; ++i) out += (i ? "," : "") + item;
    return out + "]";
}

std::string repeated(size_t n, const std::string& s) {
    std::string out;
    for (size_t i = 0; i < n; ++i) out += s;
    return out;
}

TEST(Commit, ReadsAndTrims) {
    const auto commit = parseCommit(std::move(json::parse(kComplete)).value());
    ASSERT_TRUE(commit.ok());
    EXPECT_EQ(commit->user_id, "user_123");
    EXPECT_EQ(commit->message, "Fix bug");
    EXPECT_EQ(commit->files, std::vector<std::string>{"src/app.ts"});
    EXPECT_FALSE(commit->house_wording.has_value());
    EXPECT_EQ(commit->callbacks, "[]");
}

TEST(Commit, ReportsTheFirstMissingField) {
    const char* order[] = {"userId", "commitSha", "repo", "message", "files", "components", "diffSummary"};
    for (const char* field : order)
        EXPECT_EQ(parsedWith(field, "").error().message, std::string(field) + ": Required");
    EXPECT_EQ(parseCommit(std::move(json::parse(R"({"userId":"u"})")).value()).error().message,
              "commitSha: Required");
    EXPECT_EQ(parseCommit(std::move(json::parse("[1]")).value()).error().message,
              "request: Expected object, received array");
}

TEST(Commit, RefusesWhatIsTooLongEmptyOrOfAWrongType) {
    struct {
        const char* field;
        std::string value;
        const char* message;
    } cases[] = {
        {"userId", "5", "userId: Expected string, received number"},
        {"userId", "null", "userId: Expected string, received null"},
        {"userId", R"("  ")", "userId: String must contain at least 1 character(s)"},
        {"userId", quoted(std::string(129, 'u')), "userId: String must contain at most 128 character(s)"},
        {"commitSha", quoted(std::string(65, 'a')), "commitSha: String must contain at most 64 character(s)"},
        {"repo", quoted(std::string(256, 'a')), "repo: String must contain at most 255 character(s)"},
        {"message", quoted(std::string(10'001, 'a')),
         "message: String must contain at most 10000 character(s)"},
        {"files", R"("a")", "files: Expected array, received string"},
        {"files", arrayOf(2'001, R"("a")"), "files: Array must contain at most 2000 element(s)"},
        {"files", R"(["a",7])", "files.1: Expected string, received number"},
        {"files", arrayOf(1, quoted(std::string(2'049, 'a'))),
         "files.0: String must contain at most 2048 character(s)"},
        {"components", arrayOf(201, R"("a")"), "components: Array must contain at most 200 element(s)"},
        {"components", arrayOf(1, quoted(std::string(257, 'a'))),
         "components.0: String must contain at most 256 character(s)"},
        {"diffSummary", quoted(std::string(32'001, 'a')),
         "diffSummary: String must contain at most 32000 character(s)"},
        {"template", quoted(std::string(10'001, 'a')),
         "template: String must contain at most 10000 character(s)"},
        {"template", "null", "template: Expected string, received null"},
        {"callbackUrl", "{}", "callbackUrl: Expected string, received object"},
        {"callbacks", "{}", "callbacks: Expected array, received object"},
        {"callbacks", arrayOf(6, "{}"), "callbacks: Array must contain at most 5 element(s)"},
        {"callbacks", "[1]", "callbacks.0: Expected object, received number"},
    };
    for (const auto& c : cases) {
        const auto commit = parsedWith(c.field, c.value);
        ASSERT_FALSE(commit.ok()) << c.message;
        EXPECT_EQ(commit.error().message, c.message);
        EXPECT_EQ(commit.error().error_class, ErrorClass::InvalidRequest);
    }
}

TEST(Commit, WhatIsEmptyIsLeftOut) {
    EXPECT_EQ(parsedWith("files", R"(["","a"," "])")->files, std::vector<std::string>{"a"});
    EXPECT_TRUE(parsedWith("components", R"([""])")->components.empty());
    EXPECT_FALSE(parsedWith("template", R"("")")->house_wording);
    EXPECT_FALSE(parsedWith("template", R"("  ")")->house_wording);
}

TEST(Commit, TakesEverythingUpToTheLimits) {
    EXPECT_TRUE(parsedWith("userId", quoted(repeated(128, "é"))).ok());
    EXPECT_TRUE(parsedWith("commitSha", quoted("  " + std::string(64, 'a') + "  ")).ok());
    EXPECT_TRUE(parsedWith("message", quoted(repeated(10'000, "日"))).ok());
    EXPECT_TRUE(parsedWith("files", arrayOf(2'000, quoted(std::string(2'048, 'a')))).ok());
    EXPECT_TRUE(parsedWith("files", "[]").ok());
    EXPECT_TRUE(parsedWith("components", arrayOf(200, quoted(std::string(256, 'a')))).ok());
    EXPECT_TRUE(parsedWith("diffSummary", quoted(std::string(32'000, 'a'))).ok());
    EXPECT_TRUE(parsedWith("diffSummary", R"("  ")").ok());
    EXPECT_EQ(parsedWith("template", R"(" formal ")")->house_wording, "formal");
    EXPECT_EQ(parsedWith("callbackUrl", R"("https://a.example/x")")->callback_url, "https://a.example/x");
    EXPECT_EQ(parsedWith("callbacks", R"([{"url":"http://a.example"}])")->callbacks,
              R"([{"url":"http://a.example"}])");
}

}  // namespace
}  // namespace stepper::report
