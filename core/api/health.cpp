#include "core/api/health.h"

#include <algorithm>

#include "core/api/generate_request.h"
#include "core/api/json_answer.h"
#include "core/engine/classify.h"
#include "core/engine/outcome_json.h"

namespace stepper::api {
namespace {

std::string_view stateOf(const engine::ProviderEntry& p, const limits::GateState& s) {
    if (!p.enabled()) return "disabled";
    return s.denied ? limits::name(*s.denied) : "ready";
}

std::string limitReason(const limits::GateState& s) {
    if (!s.quota_words.empty()) return "it said that its quota is used up: " + s.quota_words;
    if (s.asked_for_pause) return "it asked to be left alone";
    for (const auto& q : s.quotas)
        if (q.used >= q.limit) return "its limit is used up: " + q.name;
    return "what is left of its limits is too little for another request";
}

std::string circuitReason(const limits::GateState& s) {
    if (s.breaker == limits::Breaker::State::HalfOpen)
        return "it failed too often; a request is trying it again";
    return s.asked_for_pause ? "it failed, and asked to be left alone" : "it failed too often";
}

std::string reasonOf(const engine::ProviderEntry& p, const limits::GateState& s) {
    if (!p.enabled()) return p.disabled_reason;
    if (!s.denied && s.only_fails)
        return "its last " + std::to_string(s.failures_in_row) + " answers were failures; it is still asked";
    if (!s.denied) return {};
    switch (*s.denied) {
        case limits::Denial::Disabled:
            return s.set_aside == limits::SetAside::ModelMissing
                       ? "the provider does not know its model; correct `model:`, or wait for the next try"
                       : "the provider refused its key; correct it, or wait for the next try";
        case limits::Denial::RateLimited: return limitReason(s);
        case limits::Denial::CircuitOpen: return circuitReason(s);
        case limits::Denial::Busy:
        case limits::Denial::TooLarge: break;
    }
    return "all of its slots are taken";
}

void putQuota(json::Writer& w, const limits::QuotaState& q) {
    w.StartObject();
    json::put(w, "window", q.name);
    json::put(w, "unit", q.unit == limits::Unit::Requests ? "requests" : "tokens");
    json::putInt(w, "limit", q.limit);
    if (q.configured != q.limit) json::putInt(w, "configured", q.configured);
    json::putInt(w, "used", q.used);
    json::putInt(w, "remaining", std::max<int64_t>(q.limit - q.used, 0));
    json::putInt(w, "moreInSeconds", engine::wholeSeconds(q.more_in));
    json::putInt(w, "resetInSeconds", engine::wholeSeconds(q.reset_in));
    w.EndObject();
}

void putQuotas(json::Writer& w, const std::vector<limits::QuotaState>& quotas) {
    putArray(w, "quotas", quotas, [&](const auto& quota) { putQuota(w, quota); });
}

// By number: nothing of a key is shown.
void putKeys(json::Writer& w, const std::vector<limits::GateState::Key>& keys) {
    w.Key("keys");
    w.StartArray();
    for (size_t i = 0; i < keys.size(); ++i) {
        w.StartObject();
        json::putInt(w, "key", static_cast<int64_t>(i) + 1);
        json::put(w, "state", keys[i].denied ? limits::name(*keys[i].denied) : "ready");
        if (keys[i].set_aside == limits::SetAside::KeyRefused)
            json::put(w, "reason", "the provider refused it; correct it, or wait for the next try");
        json::putInt(w, "retryAfterSeconds", engine::wholeSeconds(keys[i].ready_in));
        putQuotas(w, keys[i].quotas);
        w.EndObject();
    }
    w.EndArray();
}

void putLatency(json::Writer& w, const limits::GateState& s) {
    putObject(w, "latency", [&] {
        if (s.p50) json::putInt(w, "p50Ms", s.p50->count());
        if (s.p95) json::putInt(w, "p95Ms", s.p95->count());
    });
}

void putVisit(json::Writer& w, const char* name, const std::optional<engine::Chronicle::Visit>& visit) {
    if (!visit) return;
    putObject(w, name, [&] {
        json::putBool(w, "ok", !visit->error);
        if (visit->error) {
            json::put(w, "errorCode", engine::verdictOn(visit->error->error_class).wire_code);
            json::put(w, "error", visit->error->message);
        }
        json::put(w, "at", isoTime(visit->at));
        json::putInt(w, "ms", visit->took.count());
    });
}

void putLastError(json::Writer& w, const engine::Chronicle::LastError& last) {
    putObject(w, "lastError", [&] {
        json::put(w, "errorCode", last.code);
        json::put(w, "error", last.message);
        json::put(w, "at", isoTime(last.at));
        json::putInt(w, "failures", last.number);
    });
}

void putProvider(json::Writer& w, const engine::ProviderEntry& p, const limits::GateState& state,
                 std::string_view checked, bool with_last_error) {
    w.StartObject();
    json::put(w, "name", p.spec.name);
    json::putBool(w, "circuitOpen", state.denied == limits::Denial::CircuitOpen);
    json::putBool(w, "healthy", usable(p, state) && !state.only_fails);
    json::putInt(w, "retryAfterSeconds", engine::wholeSeconds(state.ready_in));
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
    if (!p.spec.models.empty()) putTexts(w, "models", p.spec.models);
    json::putInt(w, "inFlight", state.in_flight);
    json::putInt(w, "consecutiveFailures", state.failures_in_row);
    if (const auto last = p.chronicle->lastError(); last && with_last_error) putLastError(w, *last);
    if (with_last_error) {
        putVisit(w, "probe", p.chronicle->lastVisit(engine::Chronicle::Kind::Probe));
        putVisit(w, "warmup", p.chronicle->lastVisit(engine::Chronicle::Kind::Warmup));
    }
    putLatency(w, state);
    putQuotas(w, state.quotas);
    if (!state.keys.empty()) putKeys(w, state.keys);
    w.EndObject();
}

void putStore(json::Writer& w, const store::Health& store) {
    using Status = store::Health::Status;
    putObject(w, "store", [&] {
        json::put(w, "status",
                  store.status == Status::Ok         ? "ok"
                  : store.status == Status::Degraded ? "degraded"
                                                     : "failed");
        if (!store.reason.empty()) json::put(w, "reason", store.reason);
    });
}

void putJobs(json::Writer& w, int workers) {
    putObject(w, "jobs", [&] {
        json::putInt(w, "workers", workers);
        if (workers == 0)
            json::put(w, "reason",
                      "queue.workers is 0: jobs are accepted and wait for a process that runs them");
    });
}

void putFiles(json::Writer& w, const engine::ReloadReport& files) {
    putObject(w, "config", [&] {
        json::put(w, "status", files.ok() ? "ok" : "refused");
        json::putInt(w, "generation", static_cast<int64_t>(files.generation));
        if (!files.ok()) putTexts(w, "problems", files.problems);
    });
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

GateStates statesOf(const engine::Snapshot& snapshot) {
    GateStates out;
    for (const auto& provider : snapshot.providers) out.push_back(provider.gate->state());
    return out;
}

bool usable(const engine::ProviderEntry& provider, const limits::GateState& state) {
    return provider.enabled() && state.denied != limits::Denial::CircuitOpen &&
           state.denied != limits::Denial::Disabled;
}

Health healthOf(const engine::Snapshot& snapshot, const GateStates& states, const store::Health& store,
                const engine::ReloadReport& files) {
    size_t enabled = 0, usable_ones = 0, good = 0;
    for (size_t i = 0; i < states.size(); ++i) {
        if (!snapshot.providers[i].enabled()) continue;
        ++enabled;
        if (!usable(snapshot.providers[i], states[i])) continue;
        ++usable_ones;
        if (!states[i].only_fails) ++good;
    }
    if (usable_ones == 0 || store.status == store::Health::Status::Failed) return Health::Unhealthy;
    const bool all_well = good == enabled && store.status == store::Health::Status::Ok && files.ok();
    return all_well ? Health::Healthy : Health::Degraded;
}

std::string healthJson(const engine::Snapshot& snapshot, const GateStates& states, const store::Health& store,
                       const engine::ReloadReport& files, WallTime now, bool with_contract_version) {
    const std::string timestamp = isoTime(now);
    return jsonObject([&](json::Writer& w) {
        json::put(w, "status", name(healthOf(snapshot, states, store, files)));
        w.Key("providers");
        w.StartArray();
        for (size_t i = 0; i < states.size(); ++i)
            putProvider(w, snapshot.providers[i], states[i], timestamp, with_contract_version);
        w.EndArray();
        putStore(w, store);
        putJobs(w, snapshot.config.queue.workers);
        putFiles(w, files);
        json::put(w, "timestamp", timestamp);
        if (with_contract_version) json::put(w, "contractVersion", kContractVersion);
    });
}

}  // namespace stepper::api
