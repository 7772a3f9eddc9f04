#include "core/api/health.h"

#include <algorithm>

#include "core/api/generate_request.h"
#include "core/base/json.h"

namespace stepper::api {
namespace {

// Being busy is being used, not being ill.
bool usable(const engine::ProviderEntry& p, const limits::GateState& s) {
    return p.enabled() && (!s.denied || s.denied == limits::Denial::Busy);
}

std::string_view stateOf(const engine::ProviderEntry& p, const limits::GateState& s) {
    if (!p.enabled()) return "disabled";
    return s.denied ? limits::name(*s.denied) : "ready";
}

std::string reasonOf(const engine::ProviderEntry& p, const limits::GateState& s) {
    if (!p.enabled()) return p.disabled_reason;
    if (s.denied == limits::Denial::Disabled)
        return "the provider refused its key; correct it, or wait for the next try";
    return {};
}

void putProvider(json::Writer& w, const engine::ProviderEntry& p, std::string_view checked) {
    const auto state = p.gate->state();
    w.StartObject();
    json::put(w, "name", p.spec.name);
    json::putBool(w, "circuitOpen", state.denied == limits::Denial::CircuitOpen);
    json::putBool(w, "healthy", usable(p, state));
    json::putInt(w, "retryAfterSeconds", std::chrono::ceil<std::chrono::seconds>(state.ready_in).count());
    json::put(w, "lastChecked", checked);
    json::put(w, "inferredFrom", "circuit_breaker");
    json::putBool(w, "supportsBatch", false);
    w.Key("maxTokens");
    if (p.spec.max_tokens) {
        w.Int64(*p.spec.max_tokens);
    } else {
        w.Null();
    }
    json::put(w, "state", stateOf(p, state));
    if (const auto reason = reasonOf(p, state); !reason.empty()) json::put(w, "reason", reason);
    json::put(w, "plugin", p.spec.plugin);
    json::put(w, "model", p.spec.model);
    json::putInt(w, "inFlight", state.in_flight);
    json::putInt(w, "consecutiveFailures", state.consecutive_failures);
    w.EndObject();
}

void putStore(json::Writer& w, const store::Health& store) {
    using Status = store::Health::Status;
    w.Key("store");
    w.StartObject();
    json::put(w, "status",
              store.status == Status::Ok         ? "ok"
              : store.status == Status::Degraded ? "degraded"
                                                 : "failed");
    if (!store.reason.empty()) json::put(w, "reason", store.reason);
    w.EndObject();
}

}  // namespace

std::string_view name(Health h) {
    switch (h) {
        case Health::Healthy: return "healthy";
        case Health::Degraded: return "degraded";
        case Health::Unhealthy: break;
    }
    return "unhealthy";
}

Health healthOf(const engine::Snapshot& snapshot, const store::Health& store) {
    size_t enabled = 0, good = 0;
    for (const auto& p : snapshot.providers) {
        if (!p.enabled()) continue;
        ++enabled;
        if (usable(p, p.gate->state())) ++good;
    }
    if (good == 0 || store.status == store::Health::Status::Failed) return Health::Unhealthy;
    return good == enabled && store.status == store::Health::Status::Ok ? Health::Healthy : Health::Degraded;
}

std::string healthJson(const engine::Snapshot& snapshot, const store::Health& store, const Clock& clock,
                       bool with_contract_version) {
    rapidjson::StringBuffer buffer;
    json::Writer w(buffer);
    const std::string now = isoTime(clock.wall());
    w.StartObject();
    json::put(w, "status", name(healthOf(snapshot, store)));
    w.Key("providers");
    w.StartArray();
    for (const auto& p : snapshot.providers) putProvider(w, p, now);
    w.EndArray();
    putStore(w, store);
    json::put(w, "timestamp", now);
    if (with_contract_version) json::put(w, "contractVersion", kContractVersion);
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace stepper::api
