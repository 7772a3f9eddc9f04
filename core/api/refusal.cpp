#include "core/api/refusal.h"

#include "core/api/body.h"

namespace stepper::api {

http::Response badRequest(const Error& refusal, std::string_view request_id) {
    const bool wrong_version = refusal.error_class == ErrorClass::Unsupported;
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "error", refusal.message, a);
    json::set(d, "errorCode", wrong_version ? "SCHEMA_VERSION_MISMATCH" : "BAD_REQUEST", a);
    if (wrong_version) json::set(d, "supportedVersion", kContractVersion, a);
    json::set(d, "requestId", request_id, a);
    return http::Response::json(400, json::dump(d));
}

}  // namespace stepper::api
