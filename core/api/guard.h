// What every request passes before its handler: where no API key is asked for, whether it may come from a web
// page; CORS, and the key that the route's role wants.
#pragma once
#include <optional>
#include <variant>

#include "core/config/config.h"
#include "core/http/http.h"

namespace stepper::api {

// What opens /admin.
struct AdminKey {
    config::Secret key;        // none: nothing does
    bool configured = true;    // else it is the one that this machine keeps
    std::string absence = {};  // why there is none, for whoever asks
};

// Immutable; safe from any thread.
class Guard {
public:
    Guard(const config::Config& config, AdminKey admin);

    // Who calls; or the response that ends the request: 403 to a page that has no business here, 204 to a
    // CORS preflight, 401 (403 for a key that nobody configured) without a valid key. `role` is what the path
    // wants; `add` goes onto any response.
    std::variant<http::Caller, http::Response> check(const http::Request& request, http::Role role,
                                                     http::Headers& add) const;

private:
    std::optional<http::Response> checkSite(const http::Request& request) const;
    std::optional<http::Response> checkKey(http::Role whose, const http::Request& request,
                                           http::Headers& add) const;
    std::optional<http::Response> checkClient(const http::Request& request, http::Headers& add) const;
    std::optional<http::Response> checkAdmin(const http::Request& request, http::Headers& add) const;
    // Whose key has to be shown; Anybody: none.
    http::Role keyFor(http::Role role) const;
    // The headers that let a page of an allowed origin use the service. True when that was all it asked for.
    bool addCors(const http::Request& request, http::Headers& add) const;
    bool allows(std::string_view origin) const;  // by that name

    config::Security security_;
    std::vector<std::string> hosts_;
    AdminKey admin_;
    std::string key_digest_, admin_digest_;
};

}  // namespace stepper::api
