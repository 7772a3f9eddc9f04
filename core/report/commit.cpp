#include "core/report/commit.h"

#include <utility>

#include "core/base/text.h"
#include "core/prompt/callbacks.h"
#include "core/prompt/complaint.h"
#include "core/secrets/redact.h"

namespace stepper::report {
namespace {

using prompt::arrayOfAtMost;
using prompt::expected;
using prompt::textOf;

// Reads fields in the order of the calls and remembers the first problem.
class Fields {
public:
    explicit Fields(const json::Value& body) : body_(body) {
        if (!body.IsObject()) refuse("request", expected("object", body));
    }

    std::string text(std::string_view field, size_t max_length, bool may_be_empty = false) {
        const json::Value* v = required(field);
        return v ? checkedText(std::string(field), *v, max_length, may_be_empty) : std::string();
    }

    // None when there is nothing in it.
    std::optional<std::string> optionalText(std::string_view field, size_t max_length) {
        const json::Value* v = json::find(body_, field);
        std::string text = v ? checkedText(std::string(field), *v, max_length, true) : std::string();
        return text.empty() ? std::nullopt : std::optional(std::move(text));
    }

    // Without those that are empty.
    std::vector<std::string> texts(std::string_view field, size_t max_items, size_t max_length) {
        const json::Value* v = required(field);
        std::vector<std::string> out;
        if (!v || !checkArray(field, *v, max_items)) return out;
        for (rapidjson::SizeType i = 0; i < v->Size() && !problem_; ++i) {
            const std::string name = std::string(field) + '.' + std::to_string(i);
            if (auto text = checkedText(name, (*v)[i], max_length, true); !text.empty())
                out.push_back(std::move(text));
        }
        return out;
    }

    std::optional<std::string> url(std::string_view field) {
        const json::Value* v = json::find(body_, field);
        if (!v) return std::nullopt;
        if (const auto wrong = prompt::callbackUrlProblem(*v)) return refuse(field, *wrong), std::nullopt;
        return std::string(json::view(*v));
    }

    std::string callbacks() {
        const json::Value* v = json::find(body_, "callbacks");
        if (!v) return "[]";
        if (auto sound = prompt::checkCallbacks(*v); !sound && !problem_) problem_ = sound.error();
        return json::dump(*v);
    }

    const std::optional<Error>& problem() const { return problem_; }

private:
    void refuse(std::string_view field, std::string_view why) {
        if (!problem_)
            problem_ = Error{ErrorClass::InvalidRequest, std::string(field).append(": ").append(why)};
    }

    const json::Value* required(std::string_view field) {
        const json::Value* v = json::find(body_, field);
        if (!v) refuse(field, "Required");
        return v;
    }

    bool checkArray(std::string_view field, const json::Value& v, size_t max_items) {
        const bool fits = v.IsArray() && v.Size() <= max_items;
        if (!v.IsArray()) refuse(field, expected("array", v));
        if (!fits) refuse(field, arrayOfAtMost(max_items));
        return fits;
    }

    std::string checkedText(const std::string& field, const json::Value& v, size_t max_length,
                            bool may_be_empty) {
        if (!v.IsString()) {
            refuse(field, expected("string", v));
            return {};
        }
        const std::string_view trimmed = trim(json::view(v));
        if (trimmed.empty() && !may_be_empty) refuse(field, textOf("least", 1));
        if (utf8Length(trimmed) > max_length) refuse(field, textOf("most", max_length));
        return std::string(trimmed);
    }

    const json::Value& body_;
    std::optional<Error> problem_;
};

}  // namespace

Result<Commit> parseCommit(const json::Value& body) {
    Fields fields(body);
    Commit commit;
    commit.user_id = fields.text("userId", 128);
    commit.commit_sha = fields.text("commitSha", 64);
    commit.repo = fields.text("repo", 255);
    commit.message = fields.text("message", 10'000);
    commit.files = fields.texts("files", 2'000, 2'048);
    commit.components = fields.texts("components", 200, 256);
    commit.diff_summary = fields.text("diffSummary", 32'000, true);
    commit.house_wording = fields.optionalText("template", 10'000);
    commit.callback_url = fields.url("callbackUrl");
    commit.callbacks = fields.callbacks();
    if (fields.problem()) return *fields.problem();
    return commit;
}

Commit redacted(Commit commit, prompt::Redaction redaction) {
    if (redaction == prompt::Redaction::Off) return commit;
    commit.repo = secrets::redact(commit.repo);
    commit.message = secrets::redact(commit.message);
    commit.diff_summary = secrets::redact(commit.diff_summary);
    for (auto& file : commit.files) file = secrets::redact(file);
    for (auto& component : commit.components) component = secrets::redact(component);
    if (commit.house_wording) commit.house_wording = secrets::redact(*commit.house_wording);
    commit.instructions = secrets::redact(commit.instructions);
    return commit;
}

}  // namespace stepper::report
