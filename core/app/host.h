// The parts of a running Stepper, wired: configuration, plugins, providers, transport.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>

#include "core/app/options.h"
#include "core/app/reloader.h"
#include "core/base/temporary_folder.h"
#include "core/config/config.h"
#include "core/transport/curl_transport.h"

namespace stepper::app {

// What a configuration is read with.
struct Surroundings {
    config::Environment environment;    // the process's own, completed by an env file
    std::string config_file;            // empty: the built-in one
    std::filesystem::path env_file;     // empty: none
    std::vector<std::string> warnings;  // about the env file, complete sentences
};

// The env file is the one named by --env-file, else .env beside the configuration file where there is one. It
// is read anew each time, so a reload sees what changed. `env_file` of `out` is set also when it cannot be
// read.
Result<void> surround(const Options& options, Surroundings& out);

// The configuration file named by --config or STEPPER_CONFIG, or the built-in defaults; with --listen
// applied. `files` (may be null) gets what it tried to read, also when it fails.
Result<config::Config> loadConfig(const Options& options,
                                  std::vector<std::filesystem::path>* files = nullptr);

// The same without providers, for who only talks to the server.
Result<config::Config> loadSettings(const Options& options);

// Where plugins are looked for when the configuration names no folder: beside this program, as built or
// installed.
std::filesystem::path defaultPluginsDir();
// This program's own file.
std::filesystem::path thisProgram();
// Where a server of this configuration keeps what it remembers beside its store: where the configuration
// says, else beside the store. Empty: nowhere.
std::filesystem::path stateFolder(const config::Config& config);
// How this program loads plugins: private copies in that folder, probed by a child of this program.
plugin::LoadOptions loadOptions(std::filesystem::path copies_dir);

// Owns everything an engine needs, but for the store. Members are destroyed in reverse order.
class Host {
public:
    // For one look at the configuration: nothing of the plugins is remembered, nothing reloaded.
    explicit Host(config::Config config);
    // For a process that stays: plugins are remembered where the configuration says, and reloader() may be
    // started.
    Host(config::Config config, LoadConfig load);
    ~Host();

    const engine::SnapshotHolder& snapshots() const { return snapshots_; }
    std::shared_ptr<const engine::Snapshot> snapshot() const { return snapshots_.get(); }
    Metrics& metrics() { return metrics_; }
    const Clock& clock() const { return clock_; }
    transport::CurlTransport& transport() { return transport_; }
    engine::Gates& gates() { return gates_; }
    Reloader& reloader() { return reloader_; }

private:
    plugin::Ledger ledgerFor(const std::filesystem::path& state_dir);

    std::optional<TemporaryFolder> temporary_;  // where nothing is remembered
    SystemClock clock_;
    Metrics metrics_;
    transport::CurlTransport transport_;
    engine::Gates gates_{clock_};
    engine::SnapshotHolder snapshots_;
    Reloader reloader_;
};

// Complete sentences about providers that cannot work as configured, with file and line; empty when there are
// none. A missing plugin is one only when `strict`: it may be dropped in later.
std::vector<std::string> configProblems(const engine::Snapshot& snapshot, bool strict);

}  // namespace stepper::app
