// The commit-report preset: reads the body of POST /v1/reports, words the messages that ask a model for the
// report, and composes the report that stands in when no model answers. Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/prompt/messages.h"
#include "core/prompt/redact.h"

namespace stepper::prompt {

// Strings are trimmed and, except diff_summary and instructions, not empty.
struct CommitInput {
    std::string user_id;
    std::string commit_sha;
    std::string repo;
    std::string message;
    std::vector<std::string> files;
    std::vector<std::string> components;
    std::string diff_summary;
    std::optional<std::string> house_wording;  // "template" on the wire
    std::optional<std::string> callback_url;
    std::string callbacks = "[]";  // the JSON array as it came, checked
    std::string instructions;      // of the prompt object that names the preset, not of the commit
};

// InvalidRequest "<field>: <problem>" for the first bad field, in the order of the struct. Lengths are
// limited as the HTTP contract says, in code points. Empty entries of lists are left out.
Result<CommitInput> parseCommitInput(const json::Value& body);

// What a report must look like, for a model and for the fallback alike. Lengths in code points.
struct ReportRules {
    struct Range {
        size_t min, max;
    };
    static constexpr Range kTitle{10, 120};
    static constexpr Range kSummary{50, 2000};
    static constexpr Range kChanges{1, 50};
    static constexpr Range kNextSteps{0, 20};
    static constexpr Range kProse{20, 2000};  // rationale, impact_and_tests
    static constexpr size_t kMinItem = 5;     // of a change, of a next step
    static constexpr size_t kMaxTags = 200;   // comma separated, no empty tag
};

enum class Variant { Detailed, Short, Gemini };

// Gemini for the plugin of that kind, Short for models whose name tells that they are small or fast.
Variant variantFor(std::string_view plugin_kind, std::string_view model);

// A system and a user message of at most maxReportPromptBytes(variant) together.
Messages renderCommitReport(const CommitInput& commit, Variant variant, Redaction redaction);
size_t maxReportPromptBytes(Variant variant);

// The same commit gives the same report, and every commit one that obeys ReportRules.
json::Document fallbackCommitReport(const CommitInput& commit, Redaction redaction);

// The commit without the secrets in what its author wrote; user, sha and callbacks stay as they are.
CommitInput redacted(CommitInput commit, Redaction redaction);

}  // namespace stepper::prompt
