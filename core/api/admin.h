// /admin: what is in force, and telling the process to look at its files. Who may ask is decided in guard.h.
#pragma once
#include "core/engine/reloading.h"
#include "core/engine/snapshot.h"
#include "core/http/http.h"

namespace stepper::api {

// Safe from any thread; what it borrows must outlive it.
class Admin {
public:
    Admin(engine::Reloading& reloading, const engine::SnapshotHolder& snapshots)
        : reloading_(reloading), snapshots_(snapshots) {}

    // {"plugins":[{"file","kind","version","sha256","generation","state","providers",...}],"generation"}
    http::Response plugins() const;
    // The configuration in force, secrets masked, and how the last look at the files went.
    http::Response config() const;
    // 200 with what changed, 422 with what is wrong, 503 when it takes too long.
    http::Response reload(const http::Request& request) const;
    // DELETE /admin/plugins/quarantine/{sha256}: as reload(), or 404.
    http::Response release(const http::Request& request) const;

private:
    engine::Reloading& reloading_;
    const engine::SnapshotHolder& snapshots_;
};

}  // namespace stepper::api
