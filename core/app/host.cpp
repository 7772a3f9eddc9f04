#include "core/app/host.h"

#include <algorithm>
#include <iterator>
#include <system_error>

#include "core/base/store_url.h"
#include "core/config/defaults.h"
#include "core/config/env_file.h"
#include "core/telemetry/log.h"

namespace stepper::app {
namespace fs = std::filesystem;
namespace {

void relayPluginLogs() {
    plugin::setPluginLog([](int level, std::string_view message) {
        log::write(static_cast<log::Level>(std::clamp(level, 0, 3) + 1), "plugin", {{"message", message}});
    });
}

std::string configFile(const Options& options, const config::Environment& environment) {
    if (options.config && !options.config->empty()) return *options.config;
    const auto named = environment.find("STEPPER_CONFIG");
    return named == environment.end() ? "" : named->second;
}

// Empty: there is none. A folder of that name is Python's virtual environment.
fs::path besideConfig(const std::string& config_file) {
    const fs::path path = fs::path(config_file).parent_path() / ".env";
    std::error_code ec;
    const auto type = config_file.empty() ? fs::file_type::not_found : fs::status(path, ec).type();
    return type == fs::file_type::not_found || type == fs::file_type::directory ? fs::path() : path;
}

Result<void> complete(Surroundings& out) {
    auto file = config::readEnvFile(out.env_file);
    if (!file) return file.error();
    out.environment.merge(file->variables);  // what is there stays
    out.warnings = std::move(file->warnings);
    return {};
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

Result<void> surround(const Options& options, Surroundings& out) {
    out.environment = config::processEnvironment();
    out.env_file = options.env_file.value_or("");
    if (!out.env_file.empty())
        if (auto done = complete(out); !done) return done;
    out.config_file = configFile(options, out.environment);
    if (!out.env_file.empty()) return {};
    out.env_file = besideConfig(out.config_file);
    return out.env_file.empty() ? Result<void>() : complete(out);
}

Result<config::Config> loadSettings(const Options& options) {
    Surroundings around;
    if (const auto found = surround(options, around); !found) return found.error();
    return around.config_file.empty() ? builtIn(around.environment)
                                      : config::loadSettings(around.config_file, around.environment);
}

Result<config::Config> loadConfig(const Options& options, std::vector<fs::path>* files) {
    Surroundings around;
    const auto found = surround(options, around);
    std::vector<fs::path> read;
    auto config = !found                       ? Result<config::Config>(found.error())
                  : around.config_file.empty() ? builtIn(around.environment)
                                               : config::load(around.config_file, around.environment, &read);
    if (!around.env_file.empty()) read.push_back(around.env_file);
    if (files) *files = read;
    if (!config) return config;
    config->files = std::move(read);
    std::ranges::move(around.warnings, std::back_inserter(config->warnings));
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
    const StoreUrl store = parseStoreUrl(config.store_url);
    if (store.kind == StoreUrl::Kind::Memory) return {};
    const bool in_file = store.kind == StoreUrl::Kind::Sqlite;
    return (in_file ? fs::path(store.path).parent_path() : fs::path("var")) / "plugin-state";
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
                ledgerFor(load ? stateFolder(config) : fs::path()), loadOptions({})) {
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
