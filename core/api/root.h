// GET /: the service, its endpoints and what protects it.
#pragma once
#include "core/api/routes.h"

namespace stepper::api {

// Lists those routes.
http::Route rootRoute(const Routes& listed, const engine::SnapshotHolder& snapshots);

// {"service","version","endpoints":{"METHOD PATTERN":"about"},"security"}. Pure.
std::string rootJson(const Routes& listed, const config::Security& security);

}  // namespace stepper::api
