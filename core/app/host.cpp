#include "core/app/host.h"

#include <algorithm>
#include <system_error>

#include "core/config/defaults.h"
#include "core/telemetry/log.h"

namespace stepper::app {
namespace fs = std::filesystem;
namespace {

void relayPluginLogs() {
    plugin::setPluginLog([](int level, std::string_view message) {
        log::write(static_cast<log::Level>(std::clamp(level, 0, 3) + 1), "plugin", {{"message", message}});
    });
}

// Empty: the built-in one.
std::string fileOf(const Options& options, const config::Environment& environment) {
    if (options.config && !options.config->empty()) return *options.config;
    const auto named = environment.find("STEPPER_CONFIG");
    return named == environment.end() ? "" : named->second;
}

Result<config::Config> builtIn(const config::Environment& environment) {
    config::Sources defaults;
    defaults.stepper_yaml = config::defaultStepperYaml();
    defaults.stepper_name = "built-in stepper.yaml";
    defaults.providers_yaml = config::defaultProvidersYaml();
    defaults.providers_name = "built-in providers.yaml";
    auto config = config::parse(defaults, environment);
    if (config) config->plugins_dir.clear();
    return config;
}

}  // namespace

Result<config::Config> loadSettings(const Options& options) {
    const auto environment = config::processEnvironment();
    const std::string file = fileOf(options, environment);
    return file.empty() ? builtIn(environment) : config::loadSettings(file, environment);
}

Result<config::Config> loadConfig(const Options& options, std::vector<fs::path>* files) {
    const auto environment = config::processEnvironment();
    const std::string file = fileOf(options, environment);
    auto config = file.empty() ? builtIn(environment) : config::load(file, environment, files);
    if (!config) return config;
    if (options.listen) {
        config->server.host = options.listen->host;
        config->server.port = options.listen->port;
    }
    return config;
}

fs::path thisProgram() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec);
}

fs::path defaultPluginsDir() {
    const fs::path prefix = thisProgram().parent_path().parent_path();
    const fs::path installed = prefix / "lib" / "stepper" / "plugins";
    std::error_code ec;
    return fs::is_directory(installed, ec) ? installed : prefix / "plugins";
}

fs::path stateFolder(const config::Config& config) {
    if (!config.plugins.state_dir.empty()) return config.plugins.state_dir;
    constexpr std::string_view kSqlite = "sqlite:", kMemory = "memory:";
    if (config.store_url.starts_with(kMemory)) return {};
    const fs::path base = config.store_url.starts_with(kSqlite)
                              ? fs::path(config.store_url.substr(kSqlite.size())).parent_path()
                              : fs::path("var");
    return base / "plugin-state";
}

plugin::LoadOptions loadOptions(fs::path copies_dir) {
    plugin::LoadOptions options;
    options.copies_dir = std::move(copies_dir);
    options.probe_program = thisProgram();
    return options;
}

Host::Host(config::Config config) : Host(std::move(config), LoadConfig()) {}

Host::Host(config::Config config, LoadConfig load)
    : reloader_({load, gates_, snapshots_, metrics_, clock_, defaultPluginsDir()},
                ledgerFor(load ? stateFolder(config) : fs::path()), loadOptions({})),
      engine_({snapshots_, transport_, metrics_, clock_}) {
    relayPluginLogs();
    reloader_.begin(std::move(config));
}

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

}  // namespace stepper::app
