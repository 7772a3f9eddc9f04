// Everything a request may look at, frozen: configuration, plugins, providers. A request takes one and keeps
// it to its end, so that a reload never changes a request half-way.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/config/config.h"
#include "core/limits/gate.h"
#include "core/plugin/catalog.h"
#include "core/plugin/session.h"

namespace stepper::engine {

// Why a provider takes no part.
enum class Absence { None, SwitchedOff, PluginMissing, ConfigRefused };

struct ProviderEntry {
    config::Provider spec;
    std::shared_ptr<const plugin::Provider> plugin;  // null: disabled
    Absence absence = Absence::None;
    std::string disabled_reason;         // why, and what would enable it
    std::shared_ptr<limits::Gate> gate;  // shared by all generations of this name

    bool enabled() const { return plugin != nullptr; }
};

struct Snapshot {
    uint64_t generation = 0;
    config::Config config;
    plugin::Catalog catalog;
    std::vector<ProviderEntry> providers;  // in configured order

    const ProviderEntry* find(std::string_view name) const;  // names match case-insensitively
};

// What lives longer than a snapshot: a gate per provider and model. Used by the thread that builds snapshots.
class Gates {
public:
    explicit Gates(const Clock& clock) : clock_(clock) {}
    std::shared_ptr<limits::Gate> of(const config::Provider& spec);

private:
    const Clock& clock_;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<limits::Gate>> by_name_;
};

// Creates every enabled provider. Never fails: one whose plugin is missing or refuses its configuration is
// disabled with the reason; what to make of that is the caller's decision.
std::shared_ptr<const Snapshot> buildSnapshot(config::Config config, plugin::Catalog catalog, Gates& gates,
                                              uint64_t generation);

// The snapshot in force. Safe from any thread.
class SnapshotHolder {
public:
    std::shared_ptr<const Snapshot> get() const {
        std::lock_guard lock(mutex_);
        return current_;
    }
    void publish(std::shared_ptr<const Snapshot> next) {
        std::lock_guard lock(mutex_);
        current_.swap(next);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Snapshot> current_;
};

}  // namespace stepper::engine
