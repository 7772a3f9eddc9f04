// Outcomes as the HTTP contract writes them. Pure.
#pragma once
#include "core/engine/request.h"
#include "core/http/http.h"
#include "core/jobs/request_kind.h"

namespace stepper::api {

// "true" where the answer is the fallback.
inline constexpr const char* kFallbackHeader = "X-Stepper-Fallback";

// 200 {"status":"completed","data","metadata"}, or the failure with its status, Retry-After and the story of
// what was tried; `warnings` are those on the request. Those of a Report carry neither `validated` nor
// `contractVersion`.
http::Response immediateAnswer(const engine::Outcome& outcome, jobs::RequestKind kind,
                               std::string_view request_id, const std::vector<std::string>& warnings = {});

// The store cannot take or give it now: 503 with Retry-After.
http::Response storeUnavailable(const Error& error, std::string_view request_id);

}  // namespace stepper::api
