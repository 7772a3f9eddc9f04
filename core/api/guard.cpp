#include "core/api/guard.h"

#include <algorithm>

#include <openssl/crypto.h>

#include "core/api/site.h"
#include "core/base/id.h"
#include "core/base/text.h"

namespace stepper::api {

namespace {

// What a client in a browser may send: our own headers, and what clients of event streams (Cache-Control,
// Last-Event-ID), HTTP libraries and tracing add unasked.
constexpr std::string_view kAllowedHeaders =
    "Accept, Authorization, Baggage, Cache-Control, Content-Type, Idempotency-Key, Last-Event-ID, Pragma, "
    "Traceparent, Tracestate, X-Request-Id, X-Request-Timeout-Ms, X-Requested-With, X-Stainless-Timeout";
// What it may read of an answer.
constexpr std::string_view kExposedHeaders =
    "Age, Allow, Idempotent-Replayed, Location, RateLimit, Retry-After, WWW-Authenticate, X-Cache, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, X-Stepper-Fallback";

constexpr size_t kShownHost = 100;

// The key a request brings: in the header, or as a bearer token.
std::string_view keyIn(const http::Request& request, std::string_view header) {
    const std::string_view given = request.header(header);
    if (!given.empty()) return given;
    const std::string_view authorization = request.header("authorization");
    constexpr std::string_view kBearer = "bearer ";
    if (authorization.size() < kBearer.size() ||
        !equalsIgnoreCase(authorization.substr(0, kBearer.size()), kBearer))
        return {};
    return trim(authorization.substr(kBearer.size()));
}

// Digests of equal length are compared in constant time, so neither content nor length of the key leaks.
bool isKey(std::string_view given, const std::string& digest) {
    const std::string of_given = sha256Hex(given);
    return !given.empty() && CRYPTO_memcmp(of_given.data(), digest.data(), digest.size()) == 0;
}

// In the inherited words, which clients test for.
http::Response keyWanted(const http::Request& request, const std::string& header) {
    const bool missing = keyIn(request, header).empty();
    return http::Response::error(
        401, "AUTH", "Unauthorized", request.id,
        missing ? "Missing API key. Include it in the '" + header + "' header." : "Invalid API key.");
}

}  // namespace

Guard::Guard(const config::Config& config, AdminKey admin)
    : security_(config.security),
      hosts_(config.server.hosts),
      admin_(std::move(admin)),
      key_digest_(sha256Hex(security_.api_key.reveal())),
      admin_digest_(sha256Hex(admin_.key.reveal())) {
    security_.api_key_header = lower(security_.api_key_header);
}

bool Guard::allows(std::string_view origin) const {
    const auto& listed = security_.cors.allowed_origins;
    return security_.cors.enabled && std::find(listed.begin(), listed.end(), origin) != listed.end();
}

std::optional<http::Response> Guard::checkSite(const http::Request& request) const {
    const auto refuse = [&](const std::string& why) {
        return http::Response::error(403, "FORBIDDEN", "Forbidden: without an API key this server " + why,
                                     request.id);
    };
    const std::string_view host = request.header("host"), origin = request.header("origin");
    // Every browser names one.
    if (!host.empty() && !isOurHost(host, request.server_ip, hosts_))
        return refuse("answers only where the URL's host is known to be its own, and " +
                      std::string(host.substr(0, kShownHost)) +
                      " is not; list it in server.hosts (STEPPER_HOSTS), or set an API key");
    if (!origin.empty() && !isSameHost(origin, host) && !allows(origin) && !allows("*"))
        return refuse(
            "takes nothing from pages of other sites; list the page's origin in "
            "security.cors.allowed_origins (CORS_ALLOWED_ORIGINS), or set an API key");
    return std::nullopt;
}

bool Guard::addCors(const http::Request& request, http::Headers& add) const {
    const auto& cors = security_.cors;
    if (!cors.enabled || cors.allowed_origins.empty()) return false;
    const std::string_view origin = request.header("origin");
    const bool anybody = allows("*"), named = allows(origin);
    // Also without an Origin: a cache must not give that answer to a page of another site.
    add.emplace_back("Vary", "Origin");
    if (origin.empty() || !(anybody || named)) return false;
    add.emplace_back("Access-Control-Allow-Origin", named ? origin : "*");
    // Never for "*", which would lend every site the user's credentials; the configuration refuses it, too.
    if (named && cors.allow_credentials) add.emplace_back("Access-Control-Allow-Credentials", "true");
    if (request.method != "OPTIONS" || request.header("access-control-request-method").empty()) {
        add.emplace_back("Access-Control-Expose-Headers", kExposedHeaders);
        return false;
    }
    add.emplace_back("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE, OPTIONS");
    add.emplace_back("Access-Control-Allow-Headers",
                     std::string(kAllowedHeaders) + ", " + security_.api_key_header);
    add.emplace_back("Access-Control-Max-Age", "600");
    return true;
}

http::Role Guard::keyFor(http::Role role) const {
    using http::Role;
    if (role == Role::Admin) return role;
    const bool spared = role == Role::Anybody && security_.api_key_skip_health;
    return security_.api_key_enabled && !spared ? Role::Client : Role::Anybody;
}

std::optional<http::Response> Guard::checkClient(const http::Request& request, http::Headers& add) const {
    if (!security_.api_key.empty() && isKey(keyIn(request, security_.api_key_header), key_digest_))
        return std::nullopt;
    add.emplace_back("WWW-Authenticate", "Bearer");
    return keyWanted(request, security_.api_key_header);
}

std::optional<http::Response> Guard::checkAdmin(const http::Request& request, http::Headers& add) const {
    const auto forbid = [&](const std::string& why) {
        return http::Response::error(403, "FORBIDDEN", "Forbidden: " + why, request.id);
    };
    if (admin_.key.empty())
        return forbid("/admin needs a key, and there is none: " + admin_.absence +
                      "; set security.admin_key or STEPPER_ADMIN_KEY");
    if (isKey(keyIn(request, security_.api_key_header), admin_digest_)) return std::nullopt;
    const std::string how = " in " + security_.api_key_header + " or as a bearer token";
    if (!admin_.configured)
        return forbid("send the key from the file that the server named at its start or in its log" + how +
                      "; security.admin_key or STEPPER_ADMIN_KEY sets another");
    add.emplace_back("WWW-Authenticate", "Bearer");
    return http::Response::error(401, "AUTH", "Unauthorized: send the admin key" + how, request.id);
}

std::optional<http::Response> Guard::checkKey(http::Role whose, const http::Request& request,
                                              http::Headers& add) const {
    switch (whose) {
        case http::Role::Admin: return checkAdmin(request, add);
        case http::Role::Client: return checkClient(request, add);
        case http::Role::Anybody: break;
    }
    return std::nullopt;
}

std::variant<http::Caller, http::Response> Guard::check(const http::Request& request, http::Role role,
                                                        http::Headers& add) const {
    if (addCors(request, add)) return http::Response{.status = 204};
    // Where a key is needed a page has none.
    if (!security_.api_key_enabled)
        if (auto refused = checkSite(request)) return *std::move(refused);
    const http::Role whose = keyFor(role);
    if (auto refused = checkKey(whose, request, add)) return *std::move(refused);
    return http::Caller{whose, request.caller.address};
}

}  // namespace stepper::api
