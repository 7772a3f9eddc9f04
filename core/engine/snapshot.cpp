#include "core/engine/snapshot.h"

#include "core/base/id.h"
#include "core/base/json.h"
#include "core/base/random.h"
#include "core/base/text.h"

namespace stepper::engine {
namespace {

// A probe that reports later than any call may take is lost.
constexpr milliseconds kProbeGrace{1'000};

// What a plugin is told of its provider: never the key.
std::string configJson(const config::Provider& spec) {
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::set(d, "name", spec.name, a);
    json::set(d, "base_url", spec.base_url, a);
    json::set(d, "model", spec.model, a);
    auto options = json::parse(spec.options_json);
    json::set(d, "options", options ? json::Value(*options, a) : json::Value(rapidjson::kObjectType), a);
    return json::dump(d);
}

std::string missingPlugin(const config::Provider& spec, const plugin::Catalog& catalog) {
    std::string why = "no plugin of kind '" + spec.plugin + "' is loaded";
    if (const auto near = nearest(spec.plugin, catalog.kinds()))
        return why + "; did you mean '" + *near + "'?";
    return why + "; drop its .so into the plugins folder, or correct `plugin:`";
}

ProviderEntry makeEntry(const config::Provider& spec, const plugin::Catalog& catalog, Gates& gates) {
    ProviderEntry entry;
    entry.spec = spec;
    entry.gate = gates.of(spec);
    const auto absent = [&](Absence why, std::string reason) {
        entry.absence = why;
        entry.disabled_reason = std::move(reason);
        return entry;
    };
    const auto image = catalog.by_kind.find(spec.plugin);
    if (image == catalog.by_kind.end()) return absent(Absence::PluginMissing, missingPlugin(spec, catalog));
    if (!spec.enabled) return absent(Absence::SwitchedOff, spec.disabled_reason);
    auto made = plugin::Provider::create(image->second, configJson(spec));
    if (!made) return absent(Absence::ConfigRefused, made.error().message);
    entry.plugin = *made;
    return entry;
}

limits::GateOptions gateOptions(const config::Provider& spec) {
    limits::GateOptions out;
    out.concurrency = spec.concurrency;
    out.limits = spec.limits;
    out.breaker = {spec.breaker.window,      spec.breaker.min_calls,    spec.breaker.failure_rate,
                   spec.breaker.consecutive, spec.breaker.open_for,     spec.breaker.max_open_for,
                   spec.breaker.probes,      spec.timeout + kProbeGrace};
    out.key_digest = sha256Hex(spec.api_key.reveal());
    return out;
}

}  // namespace

const ProviderEntry* Snapshot::find(std::string_view name) const {
    for (const auto& entry : providers)
        if (equalsIgnoreCase(entry.spec.name, name)) return &entry;
    return nullptr;
}

std::shared_ptr<limits::Gate> Gates::of(const config::Provider& spec) {
    auto& gate = by_name_[{spec.name, spec.model}];
    if (gate) {
        gate->reconfigure(gateOptions(spec));
    } else {
        gate = std::make_shared<limits::Gate>(clock_, gateOptions(spec), chance);
    }
    return gate;
}

std::shared_ptr<const Snapshot> buildSnapshot(config::Config config, plugin::Catalog catalog, Gates& gates,
                                              uint64_t generation) {
    auto out = std::make_shared<Snapshot>();
    out->generation = generation;
    for (const auto& spec : config.providers) out->providers.push_back(makeEntry(spec, catalog, gates));
    out->config = std::move(config);
    out->catalog = std::move(catalog);
    return out;
}

}  // namespace stepper::engine
