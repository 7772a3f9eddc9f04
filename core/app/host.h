// The parts of a running Stepper, wired: configuration, plugins, providers, transport, engine.
#pragma once
#include <filesystem>
#include <memory>

#include "core/app/options.h"
#include "core/config/config.h"
#include "core/engine/engine.h"
#include "core/transport/curl_transport.h"

namespace stepper::app {

// The configuration file named by --config or STEPPER_CONFIG, or the built-in defaults; with --listen
// applied.
Result<config::Config> loadConfig(const Options& options);

// A folder of our own under the temporary directory, mode 0700, removed with this object.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

// Where plugins are looked for when the configuration names no folder: beside this program, as built or
// installed.
std::filesystem::path defaultPluginsDir();
// How this program loads plugins: private copies in `copies`, probed by a child of this program.
plugin::LoadOptions loadOptions(const TemporaryFolder& copies);

// Owns everything an engine needs. Members are destroyed in reverse order.
class Host {
public:
    explicit Host(config::Config config);

    engine::Engine& engine() { return engine_; }
    const engine::SnapshotHolder& snapshots() const { return snapshots_; }
    std::shared_ptr<const engine::Snapshot> snapshot() const { return snapshots_.get(); }
    Metrics& metrics() { return metrics_; }
    const Clock& clock() const { return clock_; }
    transport::CurlTransport& transport() { return transport_; }

private:
    SystemClock clock_;
    Metrics metrics_;
    transport::CurlTransport transport_;
    engine::Gates gates_{clock_};
    engine::SnapshotHolder snapshots_;
    engine::Engine engine_;
};

// Complete sentences about providers that cannot work as configured, with file and line; empty when there are
// none. A missing plugin is one only when `strict`: it may be dropped in later.
std::vector<std::string> configProblems(const engine::Snapshot& snapshot, bool strict);

}  // namespace stepper::app
