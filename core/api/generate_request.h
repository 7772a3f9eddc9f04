// POST /v1/generate*: the client's JSON becomes an engine::GenerateRequest, or a 400 in the contract's words.
// Pure.
#pragma once
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/engine/request.h"

namespace stepper::api {

inline constexpr std::string_view kContractVersion = "1";

enum class CacheControl { Default, NoCache, Refresh };

struct ParsedRequest {
    engine::GenerateRequest request;
    CacheControl cache_control = CacheControl::Default;
    std::optional<milliseconds> max_duration;  // maxDurationSeconds
};

// A refused request. `body` is the whole answer.
struct BadRequest {
    std::string body;
};
using Parsed = std::variant<ParsedRequest, BadRequest>;

// `text`: the request's body; an empty one counts as {}.
Parsed parseGenerate(std::string_view text);
// The commit-report preset's body.
Parsed parseReport(std::string_view text);

}  // namespace stepper::api
