#include "core/api/root.h"

#include "core/api/json_answer.h"
#include "core/base/version.h"

namespace stepper::api {
namespace {

// The pages' notation of "{name}" is ":name", and they call the id that of a job.
std::string shown(std::string_view pattern) {
    std::string out;
    for (size_t open; (open = pattern.find('{')) != std::string_view::npos;) {
        const size_t close = pattern.find('}', open);
        const auto name = pattern.substr(open + 1, close - open - 1);
        out.append(pattern.substr(0, open)).append(":").append(name == "id" ? "jobId" : name);
        pattern.remove_prefix(close + 1);
    }
    return out.append(pattern);
}

}  // namespace

std::string rootJson(const Routes& listed, const config::Security& security) {
    return jsonObject([&](json::Writer& w) {
        json::put(w, "service", "stepper");
        json::put(w, "version", kVersion);
        putObject(w, "endpoints", [&] {
            for (const auto& route : listed)
                json::put(w, route.method + ' ' + shown(route.pattern), route.about);
        });
        putObject(w, "security", [&] {
            json::putBool(w, "cors", security.cors.enabled);
            json::putBool(w, "rateLimit", false);  // configured or not, nothing enforces it yet
            json::putBool(w, "helmet", security.security_headers);
            json::putBool(w, "apiKeyRequired", security.api_key_enabled);
        });
    });
}

http::Route rootRoute(const Routes& listed, const engine::SnapshotHolder& snapshots) {
    return {"GET",
            "/",
            "What this is, and its endpoints",
            http::Body::None,
            http::Role::Anybody,
            [listed, &snapshots](const http::Request&) {
                return http::Response::json(200, rootJson(listed, snapshots.get()->config.security));
            }};
}

}  // namespace stepper::api
