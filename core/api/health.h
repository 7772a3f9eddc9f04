// Provider state as /health and /v1/providers show it. Pure but for reading gates.
#pragma once
#include "core/engine/snapshot.h"

namespace stepper::api {

enum class Health { Healthy, Degraded, Unhealthy };
std::string_view name(Health h);

// Healthy when every enabled provider can be used, unhealthy when none can.
Health healthOf(const engine::Snapshot& snapshot);

// {"status","providers":[...],"timestamp"[,"contractVersion"]}
std::string healthJson(const engine::Snapshot& snapshot, const Clock& clock, bool with_contract_version);

}  // namespace stepper::api
