// Remarks on what only the running service can tell of a request, and on what stands outside its body. Any
// thread.
#pragma once
#include <initializer_list>

#include "core/api/members.h"
#include "core/engine/request.h"
#include "core/engine/snapshot.h"
#include "core/http/http.h"

namespace stepper::api {

// Providers it prefers or excludes that are not configured, and preferred ones that do not list its model.
void remarkOnProviders(const engine::GenerateRequest& request, const engine::Snapshot& snapshot,
                       Remarks& out);

// Parameters of its query that are none of `known`.
void remarkOnQuery(const http::Request& request, std::initializer_list<std::string_view> known, Remarks& out);

// Headers that mean something, but not for this use.
void remarkOnHeaders(const http::Request& request, Use use, Remarks& out);

}  // namespace stepper::api
