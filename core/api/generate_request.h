// POST /v1/generate*, /v1/reports*: the client's JSON becomes an engine::GenerateRequest, or a refusal in the
// contract's words. Pure.
#pragma once
#include <optional>
#include <string>

#include "core/api/body.h"
#include "core/api/members.h"
#include "core/api/refusal.h"
#include "core/api/start.h"
#include "core/base/clock.h"
#include "core/engine/request.h"
#include "core/jobs/request_kind.h"

namespace stepper::api {

using jobs::RequestKind;

enum class CacheControl { Default, NoCache, Refresh };

struct ParsedRequest {
    RequestKind kind = RequestKind::Generate;
    engine::GenerateRequest request;
    CacheControl cache_control = CacheControl::Default;
    std::string cache_key;                     // the client's own identity for it, "" for none
    std::optional<milliseconds> max_duration;  // maxDurationSeconds
    std::optional<int> priority;               // of a job: 0 runs first, 9 last
    Start start;                               // of a job
    bool strict = false;                       // a remark is reason enough to refuse it
    Remarks remarks;
};

// As one of that kind, but for ReportPreset, which is a Generate that names the preset. An empty text
// counts as {}. What renders to nothing is refused, too.
Result<ParsedRequest> parseRequest(RequestKind kind, std::string_view text, Use use = Use::Job);
Result<ParsedRequest> parseRequest(RequestKind kind, Body body, Use use = Use::Job);

// What a stored request says that did not count; nothing when this version cannot read it.
std::vector<std::string> warningsOn(std::string_view kind, std::string_view body);

// A stored request read again; a refusal when this version does not take it any more.
Result<engine::GenerateRequest> decodeStored(std::string_view kind, std::string_view body);

}  // namespace stepper::api
