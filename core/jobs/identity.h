// When two requests are the same request: the cache key of each. Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/engine/request.h"

namespace stepper::jobs {

// Of everything that shapes the answer, within the tenant; a requestId counts when the client sent one.
// `client_key`, when not empty, stands for all of it. A commit report is known by user, commit and template,
// and by requestId, instructions, temperature and model where the request names them.
std::string cacheKeyOf(const engine::GenerateRequest& request, std::string_view client_key, bool redact);

// The key of a commit report asked for on its own; `house_wording` is its template.
std::string reportKey(std::string_view tenant, std::string_view user_id, std::string_view commit_sha,
                      const std::optional<std::string>& house_wording);

// A digest that two request bodies share when they say the same, whatever the order of their members, their
// blanks and the notation of their numbers, and whether what is not wanted is null or absent.
std::string meaningOf(std::string_view kind, std::string_view body);

}  // namespace stepper::jobs
