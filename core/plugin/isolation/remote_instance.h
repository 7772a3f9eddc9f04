// A configured provider whose plugin runs in a process of its own: a crash, a hang or a leak there costs that
// process only, and it is started again when the next session begins.
//
// The process has one thread; sessions share it one call at a time. When it dies or does not answer in time,
// all its sessions fail with Internal, "plugin KIND crashed in its own process (signal 11)". While it
// may not be started again, begin() fails with Overloaded and the time that is left.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/plugin/abi/instance.h"
#include "core/plugin/isolation/restart_policy.h"
#include "core/plugin/library/private_copy.h"

namespace stepper::plugin {

struct RemoteOptions {
    // The process is `program arguments... COPY` and runs remoteMain(COPY), see remote_main.h.
    std::filesystem::path program;
    std::vector<std::string> arguments = {"plugin", "host", "--child"};
    // For one call: create with everything before it, begin, a step. Then the process is ended.
    milliseconds step_timeout{2'000};
    // What its data may take; 0: no limit. Not in force in a sanitized build, which takes far more.
    uint64_t memory_bytes = 512u << 20;
    RestartPolicy::Options restarts = {};
    // Receives what the plugin logs, on the thread of one of its calls. Empty: dropped.
    LogSink log = {};
    std::function<SteadyTime()> now = &std::chrono::steady_clock::now;  // for the restarts
};

// `copy`: the private copy of the plugin, never the file that was dropped. Config error with the plugin's
// words, or how its process ended. Destruction ends the process, at the latest after a step_timeout.
Result<std::unique_ptr<Instance>> createRemote(PrivateCopy copy, std::string kind, std::string config_json,
                                               const RemoteOptions& options);

}  // namespace stepper::plugin
