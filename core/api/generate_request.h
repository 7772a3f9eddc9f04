// POST /v1/generate*: the client's JSON becomes an engine::GenerateRequest, or a 400 in the contract's words.
// Pure.
//
// Requests are of three kinds, and stored jobs carry the kind's name: "generate", "report" (POST
// /v1/reports), and "generate/report", a commit report asked for as a preset of the former.
#pragma once
#include <optional>
#include <string>

#include "core/api/members.h"
#include "core/api/start.h"
#include "core/base/clock.h"
#include "core/engine/request.h"
#include "core/http/http.h"

namespace stepper::api {

inline constexpr std::string_view kContractVersion = "1";

enum class CacheControl { Default, NoCache, Refresh };

struct ParsedRequest {
    engine::GenerateRequest request;
    CacheControl cache_control = CacheControl::Default;
    std::string cache_key;                     // the client's own identity for it, "" for none
    std::optional<milliseconds> max_duration;  // maxDurationSeconds
    std::optional<int> priority;               // of a job: 0 runs first, 9 last
    Start start;                               // of a job
    bool strict = false;                       // a remark is reason enough to refuse it
    Remarks remarks;
};

// A refused request: what is wrong with it.
struct BadRequest {
    std::string sentence;
    std::string_view code = "BAD_REQUEST";
};
using Parsed = std::variant<ParsedRequest, BadRequest>;
using Body = std::shared_ptr<const json::Document>;

BadRequest refuse(std::string_view sentence);
// 400 {"error","errorCode","requestId"}, as all errors of these routes.
http::Response badRequest(const BadRequest& bad, std::string_view request_id);
inline http::Response badRequest(std::string_view sentence, std::string_view request_id) {
    return badRequest(refuse(sentence), request_id);
}
// The refusal of a body that names a contract version other than ours.
std::optional<BadRequest> versionProblem(const json::Value& body);
// The text after its byte order mark, which some clients begin with and which says nothing.
std::string_view withoutMark(std::string_view text);
// One JSON text in UTF-8, with or without a byte order mark; an empty one counts as {}.
std::variant<Body, BadRequest> parseBody(std::string_view text);

// `text`: the request's body; an empty one counts as {}. What renders to nothing is refused.
Parsed parseGenerate(std::string_view text, Use use = Use::Job);
Parsed parseGenerate(Body body, Use use = Use::Job);
// The commit-report preset's body.
Parsed parseReport(std::string_view text, Use use = Use::Job);

// What a stored request says that did not count; nothing when this version cannot read it.
std::vector<std::string> warningsOn(std::string_view kind, std::string_view body);

std::string_view kindOf(const engine::GenerateRequest& request, bool report_endpoint);
// A stored request read again. InvalidRequest when this version does not take it any more.
Result<engine::GenerateRequest> decodeStored(std::string_view kind, std::string_view body);

}  // namespace stepper::api
