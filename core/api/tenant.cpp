#include "core/api/tenant.h"

#include "core/base/id.h"
#include "core/engine/usage.h"

namespace stepper::api {
namespace {

// Keys of different tenants never meet, whatever characters they hold.
std::string scopedKey(const http::Request& request, std::string_view tenant) {
    const auto key = request.header("idempotency-key");
    return key.empty()
               ? std::string()
               : sha256Hex(std::to_string(tenant.size()) + ':' + std::string(tenant) + std::string(key));
}

}  // namespace

// The user of a report stands for a tenant where turns and usage are concerned. The keys are those of whoever
// sends the reports of all the users.
Tenancy tenancyOf(const http::Request& request, const engine::GenerateRequest& wanted) {
    return {std::string(engine::tenantOf(wanted)), scopedKey(request, wanted.tenant_id)};
}

Tenancy tenancyOf(const http::Request& request, std::string_view named) {
    return {std::string(named), scopedKey(request, named)};
}

}  // namespace stepper::api
