// What every request passes before its handler: CORS and the API key.
#pragma once
#include <memory>
#include <optional>

#include "core/config/config.h"
#include "core/http/http.h"

namespace stepper::api {

// Immutable; safe from any thread.
class Guard {
public:
    explicit Guard(const config::Security& security);

    // A response ends the request: 204 to a CORS preflight, 401 without a valid key. `add` goes onto any
    // response.
    std::optional<http::Response> check(const http::Request& request, std::string_view route,
                                        http::Headers& add) const;

private:
    bool keyIsValid(const http::Request& request) const;
    bool needsKey(std::string_view route) const;
    bool originAllowed(std::string_view origin) const;

    config::Security security_;
    std::string key_digest_;
};

}  // namespace stepper::api
