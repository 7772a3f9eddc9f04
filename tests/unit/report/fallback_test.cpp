#include "core/report/fallback.h"

#include <random>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/report/prompt.h"
#include "core/report/rules.h"

namespace stepper::report {
namespace {

using prompt::Redaction;

Commit sample() {
    Commit commit;
    commit.user_id = "u";
    commit.commit_sha = "abc123";
    commit.repo = "myorg/myrepo";
    commit.message = "Add token refresh to the session layer\n\nSessions expired while in use.";
    commit.files = {"src/auth.ts", "src/session.ts"};
    commit.components = {"auth", "session, web"};
    return commit;
}

void expectLength(const json::Value& report, const char* field, Rules::Range range) {
    const auto text = json::string(report, field);
    ASSERT_TRUE(text) << field;
    // A client may trim before it checks.
    EXPECT_GE(utf8Length(trim(*text)), range.min) << field << ": " << *text;
    EXPECT_LE(utf8Length(*text), range.max) << field << ": " << *text;
    EXPECT_TRUE(isValidUtf8(*text)) << field;
}

void expectItems(const json::Value& report, const char* field, Rules::Range range) {
    const json::Value* items = json::find(report, field);
    ASSERT_TRUE(items && items->IsArray()) << field;
    EXPECT_GE(items->Size(), range.min) << field;
    EXPECT_LE(items->Size(), range.max) << field;
    for (const auto& item : items->GetArray()) {
        EXPECT_GE(utf8Length(trim(json::view(item))), Rules::kMinItem) << field;
        EXPECT_TRUE(isValidUtf8(json::view(item))) << field;
    }
}

void expectObeysTheRules(const json::Value& report) {
    expectLength(report, "title", Rules::kTitle);
    expectLength(report, "summary", Rules::kSummary);
    expectLength(report, "rationale", Rules::kProse);
    expectLength(report, "impact_and_tests", Rules::kProse);
    expectLength(report, "tags", {1, Rules::kMaxTags});
    expectItems(report, "changes", Rules::kChanges);
    expectItems(report, "next_steps", Rules::kNextSteps);
    EXPECT_EQ(report.MemberCount(), 7u);

    std::string_view tags = *json::string(report, "tags");
    while (true) {
        const size_t comma = tags.find(',');
        EXPECT_FALSE(trim(tags.substr(0, comma)).empty()) << tags;
        if (comma == std::string_view::npos) break;
        tags.remove_prefix(comma + 1);
    }
}

TEST(CommitFallback, IsMadeFromTheCommit) {
    const auto report = fallback(sample(), Redaction::On);
    expectObeysTheRules(report);
    EXPECT_EQ(json::string(report, "title"), "Add token refresh to the session layer");
    EXPECT_EQ(json::string(report, "tags"), "auth, session, web");
    EXPECT_EQ(json::string(report, "rationale"), "From the commit message: Sessions expired while in use.");
    EXPECT_EQ(json::dump(*json::find(report, "changes")),
              R"(["Changed src/auth.ts","Changed src/session.ts"])");
}

TEST(CommitFallback, LengthensATinyMessageAndCountsWhatIsLeftOut) {
    auto commit = sample();
    commit.message = "x";
    commit.files.assign(2'000, "f");
    const auto report = fallback(commit, Redaction::On);
    expectObeysTheRules(report);
    EXPECT_EQ(json::string(report, "title"), "Commit to myorg/myrepo: x");
    EXPECT_EQ(json::view(*json::at(report, "/changes/49")), "Changed 1951 more files");
}

TEST(CommitFallback, HidesSecrets) {
    auto commit = sample();
    commit.message = "Use AKIAIOSFODNN7EXAMPLE for uploads";
    EXPECT_EQ(json::string(fallback(commit, Redaction::On), "title"),
              "Use [REDACTED:aws-access-key-id] for uploads");
    EXPECT_EQ(json::string(fallback(commit, Redaction::Off), "title"), commit.message);
}

// Commits of every size and of the characters that break naive cutting, each valid for parseCommit.
class Generator {
public:
    explicit Generator(unsigned seed) : random_(seed) {}

    Commit commit() {
        Commit c;
        c.user_id = text(128);
        c.commit_sha = text(64);
        c.repo = text(255);
        c.message = text(10'000);
        c.diff_summary = pick(2) ? "" : text(32'000);
        c.files.resize(size(2'000));
        for (auto& f : c.files) f = text(pick(8) ? 20 : 2'048);
        c.components.resize(size(200));
        for (auto& component : c.components) component = text(pick(8) ? 12 : 256);
        return c;
    }

private:
    size_t pick(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
    // Small, middling and the very limit.
    size_t size(size_t limit) { return pick(3) == 0 ? limit : pick(2) ? pick(4) : pick(limit + 1); }

    std::string text(size_t limit) {
        static constexpr const char* kPieces[] = {
            "a",    "Z",  "9",  ",",  ", ", ",,",          " ",       "\n",
            "\r\n", "\t", "é",  "日", "🚀",  "\u00A0",      "\u3000",  "\u200B",
            "\x01", "\"", "\\", "/",  ".",  "</evidence>", "{{ x }}", "e\u0301"};
        const size_t length = std::max<size_t>(1, size(limit));
        const bool one_kind = pick(4) == 0;
        const size_t kind = pick(std::size(kPieces));
        std::string out;
        for (size_t have = 0; have < length;) {
            const std::string_view piece = kPieces[one_kind ? kind : pick(std::size(kPieces))];
            const size_t n = utf8Length(piece);
            if (have + n > length) break;
            out += piece;
            have += n;
        }
        const std::string trimmed(trim(out));
        return trimmed.empty() ? "." : trimmed;
    }

    std::mt19937 random_;
};

TEST(CommitFallback, ObeysTheRulesForEveryValidCommit) {
    for (unsigned seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        const Commit commit = Generator(seed).commit();
        const auto report = fallback(commit, seed % 2 ? Redaction::On : Redaction::Off);
        expectObeysTheRules(report);
        EXPECT_EQ(json::dump(report),
                  json::dump(fallback(commit, seed % 2 ? Redaction::On : Redaction::Off)));
        for (const Variant v : {Variant::Detailed, Variant::Short, Variant::Gemini}) {
            const auto messages = render(commit, v, Redaction::On);
            EXPECT_LE(messages[0].content.size() + messages[1].content.size(), maxPromptBytes(v));
        }
        if (HasFailure()) break;
    }
}

}  // namespace
}  // namespace stepper::report
