#include "core/app/doors.h"

#include "core/app/admin_token.h"
#include "core/telemetry/log.h"

namespace stepper::app {
namespace {

// In a file, so that nobody who can only connect has it.
api::AdminKey keptAdminKey(const config::Config& config) {
    auto token = keepAdminToken(adminTokenPath(config));
    if (!token) {
        log::warn("/admin is closed", {{"reason", token.error().message}});
        return {{}, false, "none is configured, and none could be kept in a file, as the log tells"};
    }
    if (!token->finding.empty()) log::warn("admin key", {{"reason", token->finding}});
    log::info("admin key", {{"file", adminTokenPath(config).string()}});
    return {std::move(token->secret), false};
}

}  // namespace

api::AdminKey Doors::adminKey(const config::Config& config) {
    if (!config.security.admin_key.empty()) return {config.security.admin_key};
    if (kept_.key.empty()) kept_ = keptAdminKey(config);
    return kept_;
}

}  // namespace stepper::app
