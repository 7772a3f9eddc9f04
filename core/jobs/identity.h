// When two requests are the same request: the cache key of each. Pure, any thread.
#pragma once
#include <string>
#include <string_view>

#include "core/engine/request.h"

namespace stepper::jobs {

// Of everything that shapes the answer, as far as the question says that it counts, within the tenant.
// `client_key`, when not empty, stands for all of it.
std::string cacheKeyOf(const engine::GenerateRequest& request, std::string_view client_key, bool redact);

// A digest that two request bodies share when they say the same, whatever the order of their members, their
// blanks and the notation of their numbers, and whether what is not wanted is null or absent.
std::string meaningOf(std::string_view kind, std::string_view body);

}  // namespace stepper::jobs
