#include "core/runtime/host.h"

#include "core/base/store_url.h"
#include "core/telemetry/log.h"

namespace stepper::runtime {
namespace fs = std::filesystem;
namespace {

plugin::LoadOptions probedBy(fs::path program) {
    plugin::LoadOptions out;
    out.probe_program = std::move(program);
    return out;
}

}  // namespace

fs::path stateFolder(const config::Config& config) {
    if (!config.plugins.state_dir.empty()) return config.plugins.state_dir;
    const StoreUrl store = parseStoreUrl(config.store_url);
    if (store.kind == StoreUrl::Kind::Memory) return {};
    const bool in_file = store.kind == StoreUrl::Kind::Sqlite;
    return (in_file ? fs::path(store.path).parent_path() : fs::path("var")) / "plugin-state";
}

// In braces, for then the configuration is read before it is moved.
Host::Host(config::Config config, Home home, LoadConfig load)
    : reloader_{{load, gates_, snapshots_, metrics_, clock_, std::move(home.plugins_dir)},
                ledgerFor(load ? stateFolder(config) : fs::path()),
                probedBy(std::move(home.program)),
                std::move(config)} {}

// The library ends the plugins nobody uses, so the last snapshot goes first.
Host::~Host() {
    reloader_.close();
    snapshots_.publish(nullptr);
}

plugin::Ledger Host::ledgerFor(const fs::path& state_dir) {
    if (!state_dir.empty()) {
        auto ledger = plugin::Ledger::open(state_dir);
        if (ledger) return std::move(ledger).value();
        log::warn(
            "plugins will not be remembered after this process ends; plugins.state_dir names the folder",
            {{"reason", ledger.error().message}});
    }
    // Without a folder of any kind they run from memory.
    auto ledger = plugin::Ledger::open(temporary_.emplace().path());
    return ledger ? std::move(ledger).value() : plugin::Ledger();
}

std::vector<std::string> configProblems(const engine::Snapshot& snapshot, bool strict) {
    std::vector<std::string> out;
    for (const auto& p : snapshot.providers) {
        const bool counts = p.isRefused() || (strict && p.absence == engine::Absence::PluginMissing);
        if (counts)
            out.push_back(config::describe(p.spec.mark) + ": provider " + p.spec.name + ": " +
                          p.disabled_reason);
    }
    return out;
}

}  // namespace stepper::runtime
