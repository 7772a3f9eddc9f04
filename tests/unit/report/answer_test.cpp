#include "core/report/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/output/validate.h"
#include "core/report/fallback.h"
#include "core/schema/json_schema.h"

namespace stepper::report {
namespace {

// The report of the captured exchanges.
constexpr auto kReport =
    R"({"title":"Auth: Add token refresh to the session layer",)"
    R"("summary":"This commit adds token refresh so that sessions survive expiry. The middleware now renews tokens before they lapse.",)"
    R"("changes":["Added refreshToken() to src/auth.ts","Removed the deprecated session handler"],)"
    R"("rationale":"Users were logged out during active sessions because tokens were never renewed.",)"
    R"("impact_and_tests":"Observed impact: login flow. Recommended validation: unit tests for refreshToken().",)"
    R"("next_steps":["Add integration tests for token refresh"],"tags":"auth, bugfix"})";

// The good report with one member replaced (or left out), checked; and the JSON Schema's opinion of the
// result.
struct Outcome {
    std::string text;  // the member in the checked report, or the error
    bool schema_agrees;
};

Outcome with(const char* member, std::string_view json_text) {
    auto report = json::parse(kReport).value();
    report.RemoveMember(member);
    if (!json_text.empty()) {
        json::Value value(json::parse(json_text).value(), report.GetAllocator());
        json::set(report, member, std::move(value), report.GetAllocator());
    }
    const auto checked = check(report);
    const auto schema = JsonSchema::compile(json::parse(jsonSchema()).value());
    const bool fits = schema->validate(checked ? static_cast<const json::Value&>(*checked) : report).ok();
    return {checked ? json::dump(*json::find(*checked, member)) : checked.error().message,
            fits == checked.ok()};
}

std::string quoted(size_t length, std::string_view character = "x") {
    std::string out = "\"";
    for (size_t i = 0; i < length; ++i) out += character;
    return out + "\"";
}

std::string list(size_t length, std::string_view item = "\"an item\"") {
    std::string out = "[";
    for (size_t i = 0; i < length; ++i) out += (i ? "," : "") + std::string(item);
    return out + "]";
}

TEST(CommitReport, PassesAGoodReportUnchanged) {
    const auto checked = check(json::parse(kReport).value());
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(json::dump(*checked), kReport);
}

TEST(CommitReport, LengthsAreCodePoints) {
    struct Case {
        const char* member;
        size_t min, max;
    };
    for (const Case& c : {Case{"title", 10, 120}, Case{"summary", 50, 2000}, Case{"rationale", 20, 2000},
                          Case{"impact_and_tests", 20, 2000}})
        for (const char* character : {"x", "\xC3\xA9", "\xF0\x9F\x98\x80"}) {
            for (const size_t good : {c.min, c.max}) {
                const auto [text, schema_agrees] = with(c.member, quoted(good, character));
                EXPECT_EQ(text, quoted(good, character));
                EXPECT_TRUE(schema_agrees) << c.member << good;
            }
            for (const size_t bad : {c.min - 1, c.max + 1}) {
                const auto [text, schema_agrees] = with(c.member, quoted(bad, character));
                EXPECT_EQ(text, std::string(c.member) + ": " + std::to_string(bad) + " characters, needs " +
                                    std::to_string(c.min) + " to " + std::to_string(c.max));
                EXPECT_TRUE(schema_agrees) << c.member << bad;
            }
        }
}

TEST(CommitReport, ListsHaveLimits) {
    const std::tuple<const char*, std::string, std::string> cases[] = {
        {"changes", list(1), list(1)},
        {"changes", list(50), list(50)},
        {"changes", "[]", "changes: 0 items, needs 1 to 50"},
        {"changes", list(51), "changes: 51 items, needs 1 to 50"},
        {"changes", R"(["fine item","four"])", "changes[1]: 4 characters, needs at least 5"},
        {"changes", R"(["fine item",""])", "changes[1]: 0 characters, needs at least 5"},
        {"changes", R"([7])", "changes[0]: expected string"},
        {"changes", R"("one")", "changes: expected array"},
        {"next_steps", "[]", "[]"},
        {"next_steps", list(20), list(20)},
        {"next_steps", list(21), "next_steps: 21 items, needs 0 to 20"},
        {"next_steps", R"(["four"])", "next_steps[0]: 4 characters, needs at least 5"},
        {"next_steps", "null", "next_steps: expected array"},
    };
    for (const auto& [member, value, expected] : cases) {
        const auto [text, schema_agrees] = with(member, value);
        EXPECT_EQ(text, expected) << member << " " << value;
        EXPECT_TRUE(schema_agrees) << member << " " << value;
    }
}

TEST(CommitReport, NormalisesWhatCannotChangeTheMeaning) {
    EXPECT_EQ(with("title", R"("  \n  A title in spaces\t")").text, R"("A title in spaces")");
    EXPECT_EQ(with("changes", R"(["  trimmed  "])").text, R"(["trimmed"])");
    EXPECT_EQ(with("next_steps", R"(["", "  ", "write tests"])").text, R"(["write tests"])");
    EXPECT_EQ(with("next_steps", list(30, "\"\"")).text, "[]");
    EXPECT_EQ(with("title", "\"" + std::string(200, ' ') + "short\"").text,
              "title: 5 characters, needs 10 to 120");
}

TEST(CommitReport, TagsBecomeOneText) {
    const std::pair<std::string, std::string> cases[] = {
        {R"("auth")", R"("auth")"},
        {R"("auth,bugfix ,  api")", R"("auth, bugfix, api")"},
        {R"(["auth","bugfix"])", R"("auth, bugfix")"},
        {R"(["auth, api","bugfix"])", R"("auth, api, bugfix")"},
        {R"("auth,,api")", "tags: empty tag"},
        {R"("auth,")", "tags: empty tag"},
        {R"("")", "tags: empty tag"},
        {R"(["auth"," "])", "tags: empty tag"},
        {"[]", "tags: expected string or non-empty array of strings"},
        {"[1]", "tags: expected strings"},
        {"7", "tags: expected string or non-empty array of strings"},
        {quoted(200), quoted(200)},
        {quoted(201), "tags: 201 characters, needs 1 to 200"},
    };
    for (const auto& [value, expected] : cases) EXPECT_EQ(with("tags", value).text, expected) << value;
}

TEST(CommitReport, DropsUnknownMembersAndOrdersTheRest) {
    auto report = json::parse(kReport).value();
    json::Document shuffled(rapidjson::kObjectType);
    json::set(shuffled, "confidence", json::Value(1), shuffled.GetAllocator());
    for (const char* name :
         {"tags", "next_steps", "impact_and_tests", "rationale", "changes", "summary", "title"})
        json::set(shuffled, name, json::Value(report[name], shuffled.GetAllocator()),
                  shuffled.GetAllocator());
    const auto checked = check(shuffled);
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(json::dump(*checked), kReport);
}

TEST(CommitReport, ListsEveryBrokenRule) {
    const auto checked = check(json::parse(R"({"title":"Too few","summary":7,"tags":"a,,b"})").value());
    ASSERT_FALSE(checked.ok());
    EXPECT_EQ(checked.error().error_class, ErrorClass::BadResponse);
    EXPECT_EQ(checked.error().message,
              "title: 7 characters, needs 10 to 120; summary: expected string; changes: missing; rationale: "
              "missing; "
              "impact_and_tests: missing; next_steps: missing; tags: empty tag");
    EXPECT_EQ(check(json::Value(7)).error().message, "report: expected object");
}

TEST(CommitReport, ErrorsStayShort) { EXPECT_LT(with("changes", list(90'000, "\"\"")).text.size(), 2200u); }

TEST(CommitReport, IsFoundInWhatTheModelSays) {
    const auto problem = [](std::string_view said) {
        const auto report = output::processAs(check, said, "stop");
        return report ? "" : report.error().message;
    };
    EXPECT_EQ(problem("Here: {\"title\":\"A fine title\"}"),
              "Validation failed: summary: missing; changes: missing; rationale: missing; impact_and_tests: "
              "missing; "
              "next_steps: missing; tags: missing");
    EXPECT_THAT(problem("no report"), testing::StartsWith("Validation failed: Response does not appear"));
}

TEST(CommitReport, TheFallbackObeysTheRulesItself) {
    const auto body = json::parse(
        R"({"userId":"u","commitSha":"c","repo":"o/r","message":"x","files":["a"],"components":["b,c"],
        "diffSummary":""})");
    const auto commit = parseCommit(*body);
    ASSERT_TRUE(commit.ok());
    const auto report = fallback(*commit, prompt::Redaction::On);
    const auto checked = check(report);
    EXPECT_TRUE(checked.ok()) << (checked.ok() ? "" : checked.error().message);
}

}  // namespace
}  // namespace stepper::report
