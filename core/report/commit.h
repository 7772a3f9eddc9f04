// The commit that a report is asked of: the body of POST /v1/reports, and the payload of the preset. Pure,
// any thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/prompt/redact.h"

namespace stepper::report {

// Strings are trimmed and, except diff_summary and instructions, not empty.
struct Commit {
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
Result<Commit> parseCommit(const json::Value& body);

// The commit without the secrets in what its author wrote; user, sha and callbacks stay as they are.
Commit redacted(Commit commit, prompt::Redaction redaction);

}  // namespace stepper::report
