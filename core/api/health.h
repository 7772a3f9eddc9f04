// Provider state as /health and /v1/providers show it. Pure but for statesOf(), which reads the gates.
#pragma once
#include "core/engine/reloading.h"
#include "core/engine/snapshot.h"
#include "core/store/store.h"

namespace stepper::api {

enum class Health { Healthy, Degraded, Unhealthy };
std::string_view name(Health h);

// Of each provider of the snapshot, in its order.
using GateStates = std::vector<limits::GateState>;
GateStates statesOf(const engine::Snapshot& snapshot);

// It works, though it may be busy or out of quota now: that is being used, not being ill.
bool usable(const engine::ProviderEntry& provider, const limits::GateState& state);

// Healthy when every enabled provider and the store can be used, none does nothing but fail and what the
// files say is in force; unhealthy when no provider can be used or the store has failed.
Health healthOf(const engine::Snapshot& snapshot, const GateStates& states, const store::Health& store,
                const engine::ReloadReport& files);

// {"status","providers":[...],"store":{"status"[,"reason"]},"jobs":{"workers"[,"reason"]},"config":{"status","generation"[,"problems"]},
// "timestamp"[,"contractVersion"]}
std::string healthJson(const engine::Snapshot& snapshot, const GateStates& states, const store::Health& store,
                       const engine::ReloadReport& files, WallTime now, bool with_contract_version);

}  // namespace stepper::api
