// Whose a queued request is: decided here, from who calls, what the request names and the key it brings.
// Pure.
#pragma once
#include <string>

#include "core/engine/request.h"
#include "core/http/http.h"

namespace stepper::api {

struct Tenancy {
    std::string tenant;           // takes turns with the others and is shown with the job; "" is one, too
    std::string idempotency_key;  // the client's as the store has it; "" without one
};

Tenancy tenancyOf(const http::Request& request, const engine::GenerateRequest& wanted);
// Of a batch that names that tenant; its items take their turns as one.
Tenancy tenancyOf(const http::Request& request, std::string_view named);

}  // namespace stepper::api
