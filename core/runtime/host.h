// What a look at a configuration takes: its plugins, its providers and the way to them. No store, and no
// thread before Reloader::start().
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/temporary_folder.h"
#include "core/runtime/reloader.h"
#include "core/transport/curl_transport.h"

namespace stepper::runtime {

// Where plugins come from and who tries them: what this process has of that.
struct Home {
    // Probes plugins and runs isolated providers, see plugin::LoadOptions. Empty: neither can be done.
    std::filesystem::path program;
    // When the configuration names no folder.
    std::filesystem::path plugins_dir;
};

// Where a server of this configuration keeps what it remembers beside its store: where the configuration
// says, else beside the store. Empty: nowhere.
std::filesystem::path stateFolder(const config::Config& config);

// Owns everything an engine needs, but for the store. Members are destroyed in reverse order.
class Host {
public:
    // `load` is for who stays: plugins are remembered where the configuration says, and reloader() may be
    // started. Without it nothing is remembered or reloaded.
    Host(config::Config config, Home home, LoadConfig load = {});
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

}  // namespace stepper::runtime
