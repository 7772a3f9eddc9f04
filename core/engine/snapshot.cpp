#include "core/engine/snapshot.h"

#include <algorithm>

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
    for (const auto& refused : catalog.refused)
        if (refused.file.stem() == spec.plugin) return why + ": " + refused.reason;
    if (const auto near = nearest(spec.plugin, catalog.kinds()))
        return why + "; did you mean '" + *near + "'?";
    return why + "; drop its .so into the plugins folder, or correct `plugin:`";
}

// The entry before, if its plugin would be created all the same again.
const ProviderEntry* unchanged(const Snapshot* previous, const ProviderEntry& entry,
                               const plugin::PluginImage& image) {
    const ProviderEntry* before = previous ? previous->find(entry.spec.name) : nullptr;
    const bool same = before && before->plugin && before->plugin->image().get() == &image &&
                      before->plugin_config == entry.plugin_config &&
                      before->spec.isolation == entry.spec.isolation;
    return same ? before : nullptr;
}

// Of each key, and one where there is none.
std::vector<std::string> targetsOf(const config::Provider& spec) {
    const std::string before =
        spec.plugin + "\n" + spec.base_url + "\n" + spec.model + "\n" + spec.options_json + "\n";
    std::vector<std::string> out;
    for (const auto& key : spec.api_keys) out.push_back(sha256Hex(before + key.reveal()));
    if (out.empty()) out.push_back(sha256Hex(before));
    return out;
}

ProviderEntry makeEntry(const config::Provider& spec, const plugin::Catalog& catalog, Gates& gates,
                        const Snapshot* previous) {
    ProviderEntry entry;
    entry.spec = spec;
    for (const auto& target : targetsOf(spec)) entry.targets.push_back(limits::targetId(target));
    entry.gate = gates.of(spec);
    entry.chronicle = gates.chronicleOf(spec);
    entry.plugin_config = configJson(spec);
    const auto absent = [&](Absence why, std::string reason) {
        entry.absence = why;
        entry.disabled_reason = std::move(reason);
        return entry;
    };
    const auto image = catalog.by_kind.find(spec.plugin);
    if (image == catalog.by_kind.end()) return absent(Absence::PluginMissing, missingPlugin(spec, catalog));
    if (!spec.enabled) return absent(Absence::SwitchedOff, spec.disabled_reason);
    if (const auto* before = unchanged(previous, entry, *image->second)) {
        entry.plugin = before->plugin;
        return entry;
    }
    auto made = plugin::Provider::create(image->second, entry.plugin_config, spec.isolation);
    if (!made)
        return absent(
            made.error().error_class == ErrorClass::Overloaded ? Absence::NoMeansNow : Absence::ConfigRefused,
            made.error().message);
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
    out.targets = targetsOf(spec);
    return out;
}

}  // namespace

bool ProviderEntry::has(size_t target) const { return std::ranges::find(targets, target) != targets.end(); }

const config::Secret& ProviderEntry::keyFor(size_t target) const {
    static const config::Secret none;
    if (spec.api_keys.empty()) return none;
    const auto found = std::ranges::find(targets, target);
    const auto place = found == targets.end() ? 0 : static_cast<size_t>(found - targets.begin());
    return spec.api_keys[place];
}

const ProviderEntry* Snapshot::find(std::string_view name) const {
    for (const auto& entry : providers)
        if (equalsIgnoreCase(entry.spec.name, name)) return &entry;
    return nullptr;
}

void Gates::onNew(std::function<void(const std::string&, limits::Gate&)> listener) {
    listener_ = std::move(listener);
    for (const auto& [name, gate] : by_name_) listener_(name, *gate);
}

std::shared_ptr<limits::Gate> Gates::of(const config::Provider& spec) {
    auto& gate = by_name_[spec.name];
    if (!gate) {
        gate = std::make_shared<limits::Gate>(clock_, gateOptions(spec), chance);
        if (listener_) listener_(spec.name, *gate);
    }
    return gate;
}

std::shared_ptr<Chronicle> Gates::chronicleOf(const config::Provider& spec) {
    auto& chronicle = chronicles_[spec.name];
    if (!chronicle) chronicle = std::make_shared<Chronicle>(spec.name, clock_);
    return chronicle;
}

void Gates::reconfigure(const Snapshot& snapshot) {
    for (const auto& provider : snapshot.providers) provider.gate->reconfigure(gateOptions(provider.spec));
}

std::map<std::string, std::vector<std::string>> pluginConfigs(const config::Config& config) {
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& spec : config.providers) {
        auto& of_kind = out[spec.plugin];
        if (spec.enabled) of_kind.push_back(configJson(spec));
    }
    return out;
}

std::shared_ptr<const Snapshot> buildSnapshot(config::Config config, plugin::Catalog catalog, Gates& gates,
                                              uint64_t generation, const Snapshot* previous) {
    auto out = std::make_shared<Snapshot>();
    out->generation = generation;
    for (const auto& spec : config.providers)
        out->providers.push_back(makeEntry(spec, catalog, gates, previous));
    out->config = std::move(config);
    out->catalog = std::move(catalog);
    return out;
}

}  // namespace stepper::engine
