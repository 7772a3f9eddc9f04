#include "core/http/http.h"

#include "core/base/json.h"
#include "core/http/head.h"

namespace stepper::http {

std::string_view Request::header(std::string_view lower_name) const { return find(headers, lower_name); }

std::optional<std::string_view> Request::queryValue(std::string_view key) const {
    for (const auto& [name, value] : query)
        if (name == key) return value;
    return std::nullopt;
}

std::string_view Request::param(std::string_view key) const { return find(params, key); }

Response Response::json(int status, std::string body) {
    Response out;
    out.status = status;
    out.body = std::move(body);
    return out;
}

Response Response::error(int status, std::string_view code, std::string_view error,
                         std::string_view request_id, std::string_view message) {
    json::Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    json::set(body, "error", error, a);
    if (!message.empty()) json::set(body, "message", message, a);
    json::set(body, "errorCode", code, a);
    json::set(body, "requestId", request_id, a);
    return json(status, json::dump(body));
}

Response Response::unavailable(std::string_view code, std::string_view message, std::string_view request_id,
                               std::chrono::seconds retry_after) {
    auto out = error(503, code, message, request_id);
    out.headers.emplace_back("Retry-After", std::to_string(retry_after.count()));
    return out;
}

}  // namespace stepper::http
