#include "core/api/guard.h"

#include <algorithm>

#include <openssl/crypto.h>

#include "core/base/id.h"
#include "core/base/text.h"

namespace stepper::api {

Guard::Guard(const config::Security& security)
    : security_(security), key_digest_(sha256Hex(security.api_key.reveal())) {
    security_.api_key_header = lower(security_.api_key_header);
}

bool Guard::originAllowed(std::string_view origin) const {
    const auto& allowed = security_.cors.allowed_origins;
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](const auto& o) { return o == "*" || o == origin; });
}

bool Guard::needsKey(std::string_view route) const {
    if (!security_.api_key_enabled) return false;
    const bool health = route == "/health" || route == "/livez" || route == "/readyz";
    return !(health && security_.api_key_skip_health);
}

// Digests of equal length are compared in constant time, so neither content nor length of the key leaks.
bool Guard::keyIsValid(const http::Request& request) const {
    std::string_view given = request.header(security_.api_key_header);
    if (given.empty()) {
        given = request.header("authorization");
        constexpr std::string_view kBearer = "bearer ";
        if (given.size() < kBearer.size() || !equalsIgnoreCase(given.substr(0, kBearer.size()), kBearer))
            return false;
        given = trim(given.substr(kBearer.size()));
    }
    const std::string digest = sha256Hex(given);
    return !security_.api_key.empty() && CRYPTO_memcmp(digest.data(), key_digest_.data(), digest.size()) == 0;
}

std::optional<http::Response> Guard::check(const http::Request& request, std::string_view route,
                                           http::Headers& add) const {
    const std::string_view origin = request.header("origin");
    const bool cors = security_.cors.enabled && !origin.empty();
    if (cors) add.emplace_back("Vary", "Origin");
    if (cors && originAllowed(origin)) {
        add.emplace_back("Access-Control-Allow-Origin", origin);
        if (security_.cors.allow_credentials) add.emplace_back("Access-Control-Allow-Credentials", "true");
        add.emplace_back("Access-Control-Expose-Headers",
                         "X-Request-Id, Retry-After, Location, X-Cache, Age, Idempotent-Replayed, RateLimit, "
                         "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset");
        if (request.method == "OPTIONS" && !request.header("access-control-request-method").empty()) {
            add.emplace_back("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
            add.emplace_back(
                "Access-Control-Allow-Headers",
                "Content-Type, Authorization, X-Request-Id, X-Request-Timeout-Ms, Idempotency-Key, " +
                    security_.api_key_header);
            add.emplace_back("Access-Control-Max-Age", "600");
            http::Response preflight;
            preflight.status = 204;
            return preflight;
        }
    }
    if (!needsKey(route) || keyIsValid(request)) return std::nullopt;
    add.emplace_back("WWW-Authenticate", "Bearer");
    return http::Response::error(
        401, "AUTH",
        "Unauthorized: send a valid API key in " + security_.api_key_header + " or as a bearer token",
        request.id);
}

}  // namespace stepper::api
