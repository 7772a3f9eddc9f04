// What this is, and its endpoints.
#include "core/api/json_answer.h"
#include "core/api/routes.h"
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

// {"service","version","endpoints":{"METHOD PATTERN":"about"},"security"}
http::Response root(const Routes& others, const config::Security& security) {
    return jsonAnswer(200, [&](json::Writer& w) {
        json::put(w, "service", "stepper");
        json::put(w, "version", kVersion);
        putObject(w, "endpoints", [&] {
            for (const auto& route : others)
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

}  // namespace

http::Route rootRoute(const Routes& others, const ApiDeps& deps) {
    const auto handle = [others, &snapshots = deps.snapshots](const http::Request&) {
        return root(others, snapshots.get()->config.security);
    };
    return {"GET", "/", "What this is, and its endpoints", http::Body::None, http::Role::Anybody, handle};
}

}  // namespace stepper::api
