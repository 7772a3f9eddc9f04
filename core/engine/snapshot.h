// Everything a request may look at, frozen: configuration, plugins, providers. A request takes one and keeps
// it to its end, so that a reload never changes a request half-way.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/published.h"
#include "core/config/config.h"
#include "core/engine/chronicle.h"
#include "core/limits/gate.h"
#include "core/plugin/abi/session.h"
#include "core/plugin/library/catalog.h"

namespace stepper::engine {

// Why a provider takes no part.
enum class Absence { None, SwitchedOff, PluginMissing, ConfigRefused, NoMeansNow };

struct ProviderEntry {
    config::Provider spec;
    std::shared_ptr<const plugin::Provider> plugin;  // null: disabled
    std::string plugin_config;                       // what the plugin was told
    Absence absence = Absence::None;
    std::string disabled_reason;  // why, and what would enable it
    std::vector<size_t> targets;  // limits::targetId() of each of spec.api_keys
    // Shared by all generations of this name.
    std::shared_ptr<limits::Gate> gate;
    std::shared_ptr<Chronicle> chronicle;

    bool enabled() const { return plugin != nullptr; }
    // Whether that target is one of this generation; after a reload the gate may know others.
    bool has(size_t target) const;
    // What a call goes out with whose pass is for that target: of those of this generation. Empty when the
    // provider wants none.
    const config::Secret& keyFor(size_t target) const;
    // Its plugin is there and did not take it.
    bool isRefused() const { return absence == Absence::ConfigRefused || absence == Absence::NoMeansNow; }
};

struct Snapshot {
    uint64_t generation = 0;
    config::Config config;
    plugin::Catalog catalog;
    std::vector<ProviderEntry> providers;  // in configured order

    const ProviderEntry* find(std::string_view name) const;  // names match case-insensitively
};

// What lives longer than a snapshot: a gate and a chronicle per provider's name. Used by one thread.
class Gates {
public:
    explicit Gates(const Clock& clock) : clock_(clock) {}
    // Called with each new gate before anybody uses it, and for those there are.
    void onNew(std::function<void(const std::string& name, limits::Gate& gate)> listener);
    // Made when there is none of that name; one there is stays as it is.
    std::shared_ptr<limits::Gate> of(const config::Provider& spec);
    std::shared_ptr<Chronicle> chronicleOf(const config::Provider& spec);
    // The snapshot's limits are in force from now on.
    void reconfigure(const Snapshot& snapshot);
    const std::map<std::string, std::shared_ptr<limits::Gate>>& all() const { return by_name_; }

private:
    const Clock& clock_;
    std::function<void(const std::string&, limits::Gate&)> listener_;
    std::map<std::string, std::shared_ptr<limits::Gate>> by_name_;
    std::map<std::string, std::shared_ptr<Chronicle>> chronicles_;
};

// What the enabled providers' plugins would be told, by kind; a kind nobody enabled uses has none.
std::map<std::string, std::vector<std::string>> pluginConfigs(const config::Config& config);

// Creates every enabled provider, or takes over from `previous` (may be null) those that did not change.
// Never fails: one whose plugin is missing or refuses its configuration is disabled with the reason; what to
// make of that is the caller's decision. Changes nothing that `previous` uses.
std::shared_ptr<const Snapshot> buildSnapshot(config::Config config, plugin::Catalog catalog, Gates& gates,
                                              uint64_t generation, const Snapshot* previous = nullptr);

using SnapshotHolder = Published<Snapshot>;

}  // namespace stepper::engine
