// What every request passes before its handler: where no API key is asked for, whether it may come from a web
// page; CORS, the API key, and for /admin the admin key.
#pragma once
#include <memory>
#include <mutex>
#include <optional>

#include "core/config/config.h"
#include "core/http/http.h"

namespace stepper::api {

// Immutable; safe from any thread.
class Guard {
public:
    explicit Guard(const config::Config& config);

    // A response ends the request: 403 to a page that has no business here, 204 to a CORS preflight, 401
    // without a valid key. `add` goes onto any response.
    std::optional<http::Response> check(const http::Request& request, std::string_view route,
                                        http::Headers& add) const;

private:
    std::optional<http::Response> checkSite(const http::Request& request) const;
    std::optional<http::Response> checkAdmin(const http::Request& request, http::Headers& add) const;
    bool needsKey(std::string_view route) const;
    // The headers that let a page of an allowed origin use the service. True when that was all it asked for.
    bool addCors(const http::Request& request, http::Headers& add) const;
    bool allows(std::string_view origin) const;  // by that name

    config::Security security_;
    std::vector<std::string> hosts_;
    std::string key_digest_, admin_digest_;
};

// The guard in force. Safe from any thread.
class LiveGuard {
public:
    explicit LiveGuard(const config::Config& config) { replace(config); }
    std::shared_ptr<const Guard> get() const {
        std::lock_guard lock(mutex_);
        return guard_;
    }
    void replace(const config::Config& config) {
        auto next = std::make_shared<const Guard>(config);
        std::lock_guard lock(mutex_);
        guard_.swap(next);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Guard> guard_;
};

}  // namespace stepper::api
