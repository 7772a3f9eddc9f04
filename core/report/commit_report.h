// The question of a commit report: the prompt is ours, the answer obeys the Rules.
#pragma once
#include "core/prompt/question.h"
#include "core/report/commit.h"

namespace stepper::report {

// What a generate request calls it, and metrics.
inline constexpr std::string_view kPreset = "commit-report";

class CommitReport final : public prompt::Question {
public:
    explicit CommitReport(Commit commit) : commit_(std::move(commit)) {}

    std::string_view preset() const override { return kPreset; }
    std::string_view responseMode() const override { return "json"; }
    std::string_view user() const override { return commit_.user_id; }
    Result<prompt::Messages> messages(const prompt::Audience& to, prompt::Redaction redaction) const override;
    bool sameWords(const prompt::Audience& a, const prompt::Audience& b) const override;
    prompt::AnswerFormat format() const override;
    Result<output::Processed> accept(std::string_view text, std::string_view finish,
                                     const Interrupt& interrupt = {}) const override;
    json::Document fallback(prompt::Redaction redaction) const override;
    // By user, commit and template, and what is asked beside them; not by how it is asked for.
    json::Document identity(const prompt::Wishes& wishes, prompt::Redaction redaction) const override;

private:
    const Commit commit_;
};

// The cache key of a report that is asked for on its own; `house_wording` is its template.
std::string keyOf(std::string_view tenant, std::string_view user_id, std::string_view commit_sha,
                  const std::optional<std::string>& house_wording);

}  // namespace stepper::report
