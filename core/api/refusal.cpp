#include "core/api/refusal.h"

namespace stepper::api {
namespace {

constexpr std::string_view kWrongVersion = "SCHEMA_VERSION_MISMATCH";

}  // namespace

Error refusal(const BadRequest& bad) {
    return {bad.code == kWrongVersion ? ErrorClass::Unsupported : ErrorClass::InvalidRequest, bad.sentence};
}

http::Response badRequest(const Error& refusal, std::string_view request_id) {
    BadRequest bad{refusal.message};
    if (refusal.error_class == ErrorClass::Unsupported) bad.code = kWrongVersion;
    return badRequest(bad, request_id);
}

}  // namespace stepper::api
