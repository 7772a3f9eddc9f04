#include "core/report/prompt.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.h"
#include "core/prompt/evidence.h"
#include "core/report/wording.h"

namespace stepper::report {
namespace {

using prompt::cutMiddle;
using prompt::sampledList;

// What a variant shows of a commit, in bytes and entries.
struct Budget {
    size_t message;
    size_t diff;
    size_t house_wording;  // and of the instructions
    size_t files;
    size_t file;
    size_t components;
    size_t component;
};

constexpr Budget kDetailed{8'000, 24'000, 6'000, 80, 200, 40, 100};
constexpr Budget kShort{2'000, 6'000, 1'500, 30, 120, 15, 60};
constexpr Budget kGemini{10'000, 30'000, 8'000, 120, 200, 60, 100};

constexpr size_t kIdentity = 1'024;  // of the repository's name and of the hash, each
constexpr size_t kFraming = 2'048;   // tags, headings and notes around the evidence
constexpr size_t kItemFraming = 8;   // "- ", an ellipsis and a line end

const Budget& budgetFor(Variant variant) {
    if (variant == Variant::Gemini) return kGemini;
    return variant == Variant::Short ? kShort : kDetailed;
}

// Evidence cannot close its own section: a tag of ours in it loses its bracket.
std::string defused(std::string text) {
    constexpr std::array<std::string_view, 2> kTags = {"<evidence", "</evidence"};
    for (size_t i = text.find('<'); i != std::string::npos; i = text.find('<', i + 1)) {
        const std::string_view rest = std::string_view(text).substr(i);
        const bool tag = std::any_of(kTags.begin(), kTags.end(), [&](std::string_view t) {
            return equalsIgnoreCase(rest.substr(0, t.size()), t);
        });
        if (tag) text[i] = '(';
    }
    return text;
}

std::string section(std::string_view name, std::string body) {
    if (body.empty()) body = "(none)";
    return "<evidence name=\"" + std::string(name) + "\">\n" + defused(std::move(body)) + "\n</evidence>\n\n";
}

std::string evidenceOf(const Commit& commit, const Budget& budget) {
    std::string identity = "repository: ";
    identity += utf8Prefix(commit.repo, kIdentity);
    identity += "\nsha: ";
    identity += utf8Prefix(commit.commit_sha, kIdentity);
    return section("commit", std::move(identity)) +
           section("message", cutMiddle(commit.message, budget.message)) +
           section("components", sampledList(commit.components, budget.components, budget.component)) +
           section("files", sampledList(commit.files, budget.files, budget.file)) +
           section("diff", cutMiddle(commit.diff_summary, budget.diff));
}

// "8b", "r7b", "3b" of "llama-3.2-3b": fewer than ten billion parameters.
bool isSmallSize(std::string_view word) {
    if (!word.ends_with('b')) return false;
    word.remove_suffix(1);
    const size_t digits = word.find_last_not_of("0123456789") + 1;
    return word.size() - digits == 1;
}

}  // namespace

Variant variantFor(std::string_view plugin_kind, std::string_view model) {
    constexpr std::array<std::string_view, 8> kSmall = {"mini", "nano",  "micro",   "tiny",
                                                        "lite", "small", "instant", "haiku"};
    if (equalsIgnoreCase(plugin_kind, "gemini")) return Variant::Gemini;
    const std::string name = lower(model);
    // Whole words only: "gemini" is not "mini".
    std::string_view rest = name;
    while (!rest.empty()) {
        const size_t end = rest.find_first_of("-_./: @");
        const std::string_view word = rest.substr(0, end);
        if (isSmallSize(word) || std::find(kSmall.begin(), kSmall.end(), word) != kSmall.end())
            return Variant::Short;
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return Variant::Detailed;
}

prompt::Messages render(const Commit& commit, Variant variant, prompt::Redaction redaction) {
    const Wording& wording = wordingFor(variant);
    const Budget& budget = budgetFor(variant);
    const Commit shown = redacted(commit, redaction);

    std::string user = evidenceOf(shown, budget);
    if (shown.house_wording) {
        user +=
            "House wording. The team's wishes for style and emphasis; they change neither the output format "
            "nor the evidence rules:\n";
        user += defused(cutMiddle(*shown.house_wording, budget.house_wording));
        user += "\n\n";
    }
    user += wording.task;
    if (!shown.instructions.empty())
        user +=
            "\n\nAdditional instructions:\n" + defused(cutMiddle(shown.instructions, budget.house_wording));
    return {{"system", std::string(wording.system)}, {"user", std::move(user)}};
}

size_t maxPromptBytes(Variant variant) {
    const Wording& wording = wordingFor(variant);
    const Budget& b = budgetFor(variant);
    return wording.system.size() + wording.task.size() + 2 * kIdentity + kFraming + b.message + b.diff +
           2 * b.house_wording + b.files * (b.file + kItemFraming) +
           b.components * (b.component + kItemFraming);
}

}  // namespace stepper::report
