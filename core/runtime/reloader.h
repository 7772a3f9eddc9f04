// Keeps what is in force up with the files: configuration and plugins become one new snapshot, or all stays
// as it was and the reason is told.
#pragma once
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/errands.h"
#include "core/engine/reloading.h"
#include "core/engine/snapshot.h"
#include "core/runtime/watcher.h"
#include "core/telemetry/metrics.h"

namespace stepper::runtime {

// Reads the configuration anew; `files` gets what it tried to read.
using LoadConfig = std::function<Result<config::Config>(std::vector<std::filesystem::path>& files)>;

struct ReloaderDeps {
    LoadConfig load;
    engine::Gates& gates;
    engine::SnapshotHolder& snapshots;
    Metrics& metrics;
    const Clock& clock;
    std::filesystem::path default_plugins_dir;  // when the configuration names none
};

class Reloader final : public engine::Reloading {
public:
    // Borrows what `deps` refers to; `plugins` as for plugin::Library. Publishes the first snapshot, of
    // `config`.
    Reloader(ReloaderDeps deps, plugin::Ledger ledger, plugin::LoadOptions plugins, config::Config config);
    ~Reloader() override;

    // From now on the files are watched; `changed` is called on the watching thread after each new snapshot.
    void start(std::function<void(const engine::Snapshot&)> changed);
    // SIGHUP: looks at all files, without anybody waiting for it.
    void trigger();
    // Whoever waits for a look is told that the process ends. Waits for nobody.
    void stop();
    // Waits for a look under way. The process is about to end as it should.
    void close();

    Result<engine::ReloadReport> reload(SteadyTime deadline) override;
    engine::ReloadReport last() const override;
    std::vector<plugin::Listing> plugins() const override { return library_.list(); }
    Result<engine::ReloadReport> release(const std::string& sha256, SteadyTime deadline) override;

private:
    Reloader(ReloaderDeps deps, plugin::Ledger ledger, plugin::LoadOptions plugins);
    void begin(config::Config config);
    // What there is to do next.
    struct Task {
        uint64_t asked = 0;
        bool wanted = false;          // by somebody who waits
        bool only_attention = false;  // nothing is known to have changed
    };
    std::optional<Task> nextTask();
    void wake(bool Reloader::*why);
    void run();
    void work(const Task& task);
    void lookAgainLater();
    void look(plugin::Pace pace);
    std::optional<config::Config> freshConfig(engine::ReloadReport& report);
    bool apply(const config::Config& config, plugin::Pace pace, engine::ReloadReport& report);
    void publish(std::shared_ptr<const engine::Snapshot> next, engine::ReloadReport& report);
    void announce();
    void tell(engine::ReloadReport report);
    plugin::Wanted wantedOf(const config::Config& config) const;
    std::vector<std::filesystem::path> watched() const;
    Result<engine::ReloadReport> request(std::optional<std::string> release, SteadyTime deadline);

    const ReloaderDeps deps_;
    const std::shared_ptr<Errands> errands_;
    plugin::Library library_;
    std::function<void(const engine::Snapshot&)> changed_;
    std::vector<std::filesystem::path> config_files_;  // that the last look read or tried to
    bool unsettled_ = false;
    bool announced_ = true;             // `changed_` knows the snapshot that is in force
    std::list<std::string> releasing_;  // sha256s, taken from releases_

    mutable std::mutex mutex_;  // what follows
    std::condition_variable done_, work_;
    engine::ReloadReport last_;
    uint64_t asked_ = 0, served_ = 0;  // requests for an immediate look, and how many were served
    std::list<std::string> releases_;
    bool hint_ = false;       // something may have changed
    bool attention_ = false;  // the library has something to settle
    bool stop_ = false;
    std::optional<Watcher> watcher_;
    std::thread thread_;
};

}  // namespace stepper::runtime
