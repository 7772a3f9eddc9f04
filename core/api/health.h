// Provider state as /health and /v1/providers show it. Pure but for reading gates.
#pragma once
#include "core/engine/snapshot.h"
#include "core/store/store.h"

namespace stepper::api {

enum class Health { Healthy, Degraded, Unhealthy };
std::string_view name(Health h);

// Healthy when every enabled provider and the store can be used, unhealthy when no provider can or the store
// has failed.
Health healthOf(const engine::Snapshot& snapshot, const store::Health& store);

// {"status","providers":[...],"store":{"status"[,"reason"]},"timestamp"[,"contractVersion"]}
std::string healthJson(const engine::Snapshot& snapshot, const store::Health& store, const Clock& clock,
                       bool with_contract_version);

}  // namespace stepper::api
