// What all that is queued has in common: when it starts, whether it could ever be done, and the 202.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/api.h"
#include "core/api/generate_request.h"

namespace stepper::api {

struct Accepted {
    std::string_view job_id;
    RequestKind kind = RequestKind::Generate;
    std::optional<std::pair<size_t, int>> batch = {};  // items, concurrency
    std::vector<std::string> warnings = {};
    std::optional<WallTime> run_at = {};
};

// 202 {"status":"queued","jobId","statusUrl",...} with Location and Retry-After.
http::Response accepted(const Accepted& a);

// 400 to an Idempotency-Key that is too long.
std::optional<http::Response> badIdempotencyKey(const http::Request& request);
// 422: the Idempotency-Key stands for another request.
http::Response conflict(const http::Request& request);

// The failure of work that no provider could ever take, none of what is answered already.
std::optional<engine::Outcome> tooLarge(const ApiDeps& deps, const ParsedRequest& work,
                                        const std::string& cache_key);

template <class Submission>
std::optional<WallTime> startOf(const Submission& submission, WallTime now) {
    if (submission.start_in == milliseconds{0}) return std::nullopt;
    return now + submission.start_in;
}

}  // namespace stepper::api
