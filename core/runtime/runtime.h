// Stepper without HTTP: from a configuration to providers that answer and jobs that run. One process may have
// several; each needs a store and a state folder of its own.
//
// What the whole process shares is its owner's, and a runtime leaves it alone: where the log goes
// (log::init(), else nowhere) and what plugins say there (plugin::setPluginLog()), signals (SIGPIPE has to be
// blocked or ignored), the environment, the limit of open files.
#pragma once
#include <functional>
#include <memory>

#include "core/engine/caretaker.h"
#include "core/engine/engine.h"
#include "core/engine/quota_journal.h"
#include "core/engine/usage_keeper.h"
#include "core/jobs/job_service.h"
#include "core/runtime/host.h"

namespace stepper::runtime {

struct Options {
    config::Config config;  // the first
    LoadConfig load = {};   // reads it anew; empty: it stays, and only plugins come and go
    Home home;
    jobs::Decoder decode;        // of the requests that jobs were stored with
    bool recover_store = false;  // see store::OpenOptions
    // Is shown what would run before the store is opened; a problem is make()'s. May be empty.
    std::function<Result<void>(const engine::Snapshot&)> approve = {};
};

// Safe from any thread once it is made; make(), start(), drain() and destruction are one owner's. References
// it gives are valid until its destruction, by which nobody may use them any more.
class Runtime {
public:
    // From here on everything can be asked, and jobs are accepted; nothing runs by itself yet. Config error:
    // a provider that cannot work as configured, what `approve` says, a store that cannot be opened.
    static Result<std::unique_ptr<Runtime>> make(Options options);
    ~Runtime();

    // Once: runs jobs unless queue.workers is 0, looks after providers, follows the files. `changed` (may be
    // empty) is called with each new snapshot, on the thread that follows them, until drain() returns. Throws
    // std::system_error when the system refuses it threads.
    void start(std::function<void(const engine::Snapshot&)> changed = {});
    // Ends waiting, gives what runs until the deadline and begins nothing more. Does not wait for it.
    void beginDrain(SteadyTime deadline);
    // Likewise, waits for it, and writes down what was used of quotas. What is short of memory or of time
    // does not keep the rest from being done. Whoever asks the engine directly has to have ended before.
    void drain(SteadyTime deadline);
    // Now and then, where nothing else happens: closes connections to providers that have been idle too long.
    void tidy();

    const Clock& clock() const { return host_->clock(); }
    const engine::SnapshotHolder& snapshots() const { return host_->snapshots(); }
    engine::Engine& engine() { return engine_; }
    jobs::JobService& jobs() { return jobs_; }  // and the store
    engine::UsageKeeper& usage() { return usage_keeper_; }
    Metrics& metrics() { return host_->metrics(); }
    Reloader& reloader() { return host_->reloader(); }

private:
    Runtime(std::unique_ptr<Host> host, std::unique_ptr<store::Store> store, jobs::Decoder decode);

    // In the order they are made in.
    const std::unique_ptr<Host> host_;
    const std::unique_ptr<store::Store> store_;
    engine::QuotaJournal journal_;
    engine::Usage usage_;
    engine::UsageKeeper usage_keeper_;
    engine::Engine engine_;
    jobs::JobService jobs_;
    engine::Caretaker prober_, waker_;
};

}  // namespace stepper::runtime
