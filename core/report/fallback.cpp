#include "core/report/fallback.h"

#include <algorithm>
#include <utility>

#include "core/base/text.h"
#include "core/report/rules.h"

namespace stepper::report {
namespace {

constexpr size_t kLongestItem = 300;
constexpr size_t kLongestName = 60;
constexpr size_t kLongestTag = 40;
constexpr size_t kNamedComponents = 10;

// Length in bytes of the white space or control character at s[i], 0 when there is none. Unicode's spaces
// count: a client that trims must not be left with less than the rules ask for.
size_t blankLength(std::string_view s, size_t i) {
    constexpr std::string_view kBlanks[] = {"\u00A0", "\u0085", "\u1680", "\u2028", "\u2029",
                                            "\u202F", "\u205F", "\u3000", "\uFEFF", "\u200B"};
    const auto c = static_cast<unsigned char>(s[i]);
    if (c <= 0x20 || c == 0x7F) return 1;
    if (c < 0x80) return 0;
    const std::string_view rest = s.substr(i);
    if (rest >= "\u2000" && rest.substr(0, 3) <= "\u200A") return 3;
    const auto* blank =
        std::find_if(std::begin(kBlanks), std::end(kBlanks), [&](auto b) { return rest.starts_with(b); });
    return blank == std::end(kBlanks) ? 0 : blank->size();
}

// One line: runs of white space and control characters become one space, none at the ends.
std::string oneLine(std::string_view s) {
    std::string out;
    bool gap = false;
    for (size_t i = 0; i < s.size();) {
        const size_t blank = blankLength(s, i);
        if (blank > 0) {
            gap = true;
            i += blank;
            continue;
        }
        if (gap && !out.empty()) out += ' ';
        gap = false;
        out += s[i++];
    }
    return out;
}

// At most `max_length` code points; an ellipsis tells that some are missing.
std::string clip(std::string s, size_t max_length) {
    if (utf8Length(s) <= max_length) return s;
    // The character that would be one too many begins where the prefix ends.
    size_t end = 0;
    for (size_t starts = 0;; ++end) {
        const bool continues = (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80;
        if (!continues && ++starts == max_length) break;
    }
    while (end > 0 && s[end - 1] == ' ') --end;
    return s.substr(0, end) + "…";
}

std::string count(size_t n, std::string_view noun) {
    return std::to_string(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

// The parts of a message: its first line that says something, and the rest.
struct Subject {
    std::string line;
    std::string body;
};

Subject subjectOf(const std::string& message) {
    std::string_view rest = message;
    while (!rest.empty()) {
        const size_t end = rest.find('\n');
        std::string line = oneLine(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        if (!line.empty()) return {std::move(line), oneLine(rest)};
    }
    return {"no readable message", ""};
}

std::string titleOf(const Subject& subject, const std::string& repo) {
    const bool too_short = utf8Length(subject.line) < Rules::kTitle.min;
    return clip(too_short ? "Commit to " + clip(repo, kLongestName) + ": " + subject.line : subject.line,
                Rules::kTitle.max);
}

json::Value changesOf(const Commit& commit, const Subject& subject, json::Allocator& a) {
    json::Value changes(rapidjson::kArrayType);
    const auto add = [&](const std::string& change) { changes.PushBack(json::text(change, a), a); };
    if (commit.files.empty()) add(clip("Commit message: " + subject.line, kLongestItem));
    const bool all = commit.files.size() <= Rules::kChanges.max;
    const size_t shown = all ? commit.files.size() : Rules::kChanges.max - 1;
    for (size_t i = 0; i < shown; ++i) add(clip("Changed " + oneLine(commit.files[i]), kLongestItem));
    if (!all) add("Changed " + count(commit.files.size() - shown, "more file"));
    return changes;
}

// "api, auth and 3 more", "" without components.
std::string namesOf(const std::vector<std::string>& components) {
    std::string out;
    const size_t shown = std::min(components.size(), kNamedComponents);
    for (size_t i = 0; i < shown; ++i)
        out += (i == 0 ? "" : ", ") + clip(oneLine(components[i]), kLongestName);
    if (shown < components.size()) out += " and " + std::to_string(components.size() - shown) + " more";
    return out;
}

std::string tagsOf(const std::vector<std::string>& components) {
    std::vector<std::string> tags;
    std::string out;
    for (std::string_view rest : components) {
        while (!rest.empty()) {
            const size_t comma = rest.find(',');
            const std::string tag = clip(oneLine(rest.substr(0, comma)), kLongestTag);
            rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            if (tag.empty() || std::find(tags.begin(), tags.end(), tag) != tags.end()) continue;
            const std::string longer = out + (out.empty() ? "" : ", ") + tag;
            if (utf8Length(longer) > Rules::kMaxTags) return out;
            out = longer;
            tags.push_back(tag);
        }
    }
    return out.empty() ? "commit" : out;
}

json::Value nextStepsOf(const Commit& commit, json::Allocator& a) {
    json::Value steps(rapidjson::kArrayType);
    steps.PushBack(json::text("Review the diff of this commit by hand", a), a);
    if (!commit.components.empty())
        steps.PushBack(json::text("Run the tests of " + namesOf(commit.components), a), a);
    return steps;
}

}  // namespace

json::Document fallback(const Commit& original, prompt::Redaction redaction) {
    const Commit commit = redacted(original, redaction);
    const Subject subject = subjectOf(commit.message);
    const std::string repo = oneLine(commit.repo);
    const std::string title = titleOf(subject, repo);
    const std::string scope =
        count(commit.files.size(), "file") + " in " + count(commit.components.size(), "component");
    const std::string sha = oneLine(commit.commit_sha);

    const std::string summary =
        "Commit " + sha + " in " + repo + " touches " + scope + ": " + title +
        ". This report was composed from the commit's own data because no AI provider answered.";
    const std::string rationale =
        subject.body.empty() ? "The commit message gives no reason beyond its first line: " + subject.line
                             : "From the commit message: " + subject.body;
    const std::string impact =
        (commit.components.empty() ? "The commit names no components."
                                   : "Touched components: " + namesOf(commit.components) + ".") +
        " No analysis of tests was possible; verify the changed behaviour before relying on it.";

    json::Document report(rapidjson::kObjectType);
    auto& a = report.GetAllocator();
    json::set(report, "title", title, a);
    json::set(report, "summary", clip(summary, Rules::kSummary.max), a);
    json::set(report, "changes", changesOf(commit, subject, a), a);
    json::set(report, "rationale", clip(rationale, Rules::kProse.max), a);
    json::set(report, "impact_and_tests", clip(impact, Rules::kProse.max), a);
    json::set(report, "next_steps", nextStepsOf(commit, a), a);
    json::set(report, "tags", tagsOf(commit.components), a);
    return report;
}

}  // namespace stepper::report
