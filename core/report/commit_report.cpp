#include "core/report/commit_report.h"

#include "core/cache/key.h"
#include "core/report/answer.h"
#include "core/report/fallback.h"
#include "core/report/prompt.h"

namespace stepper::report {
namespace {

Variant variantOf(const prompt::Audience& audience) {
    switch (audience.variant) {
        case config::PromptVariant::Detailed: return Variant::Detailed;
        case config::PromptVariant::Short: return Variant::Short;
        case config::PromptVariant::Gemini: return Variant::Gemini;
        case config::PromptVariant::Auto: break;
    }
    return variantFor(audience.plugin, audience.model);
}

json::Document identityOf(std::string_view user_id, std::string_view commit_sha,
                          const std::optional<std::string>& house_wording) {
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "kind", "report", a);
    json::set(d, "userId", user_id, a);
    json::set(d, "commitSha", commit_sha, a);
    if (house_wording) json::set(d, "template", *house_wording, a);
    return d;
}

}  // namespace

Result<prompt::Messages> CommitReport::messages(const prompt::Audience& to,
                                                prompt::Redaction redaction) const {
    return render(commit_, variantOf(to), redaction);
}

bool CommitReport::sameWords(const prompt::Audience& a, const prompt::Audience& b) const {
    return variantOf(a) == variantOf(b);
}

prompt::AnswerFormat CommitReport::format() const { return {"commit_report", jsonSchema()}; }

Result<output::Processed> CommitReport::accept(std::string_view text, std::string_view finish,
                                               const Interrupt& interrupt) const {
    return output::processAs(check, text, finish, interrupt);
}

json::Document CommitReport::fallback(prompt::Redaction redaction) const {
    return report::fallback(commit_, redaction);
}

json::Document CommitReport::identity(const prompt::Wishes& wishes, prompt::Redaction) const {
    json::Document alone = identityOf(commit_.user_id, commit_.commit_sha, commit_.house_wording);
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "report", cache::keyOf(wishes.tenant_id, alone), a);
    if (!commit_.instructions.empty()) json::set(d, "instructions", commit_.instructions, a);
    prompt::addWishes(d, wishes);
    return d.MemberCount() == 1 ? std::move(alone) : std::move(d);
}

std::string keyOf(std::string_view tenant, std::string_view user_id, std::string_view commit_sha,
                  const std::optional<std::string>& house_wording) {
    return cache::keyOf(tenant, identityOf(user_id, commit_sha, house_wording));
}

}  // namespace stepper::report
