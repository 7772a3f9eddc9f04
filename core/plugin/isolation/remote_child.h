// The process of an isolated plugin as the host talks to it: one request and one answer at a time, until it
// dies. Safe from any thread.
#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/descriptor.h"
#include "core/plugin/isolation/child_process.h"
#include "core/plugin/isolation/remote_channel.h"
#include "core/plugin/isolation/remote_instance.h"
#include "core/plugin/library/private_copy.h"

namespace stepper::plugin {

// Which plugin it is, with which configuration. Outlives every child.
struct RemotePlugin {
    PrivateCopy copy;
    std::string kind, config_json;
    RemoteOptions options;

    // "plugin KIND <what>"
    Error error(ErrorClass error_class, const std::string& what) const;
};

class RemoteChild {
public:
    // Starts the process and creates the provider in it, within step_timeout. Config error with the plugin's
    // words when it refuses, Internal when the process failed.
    static Result<std::shared_ptr<RemoteChild>> start(std::shared_ptr<const RemotePlugin> plugin);
    // Lets the plugin destroy its provider, within step_timeout.
    ~RemoteChild();
    RemoteChild(const RemoteChild&) = delete;
    RemoteChild& operator=(const RemoteChild&) = delete;

    uint64_t newSession() { return ++sessions_; }
    const RemotePlugin& plugin() const { return *plugin_; }

    // Sends the frame and waits for the answer; `payload` is replaced. Internal when the process is dead or
    // dies.
    Result<wire::Kind> call(std::string_view frame, std::string& payload);
    // Sends a frame that has no answer.
    void tell(std::string_view frame);
    // It has sent what the protocol does not have: ends it.
    Error condemn();
    bool dead();

private:
    RemoteChild(std::shared_ptr<const RemotePlugin> plugin, ChildProcess process, Descriptor socket);
    SteadyTime deadline() const;
    Transfer exchange(std::string_view frame, wire::Kind& kind, std::string& payload);
    std::string end(milliseconds grace);
    Error bury(Transfer why);

    const std::shared_ptr<const RemotePlugin> plugin_;
    std::atomic<uint64_t> sessions_{0};
    std::mutex mutex_;  // the rest
    ChildProcess process_;
    Descriptor socket_;
    RemoteChannel channel_;
    std::optional<Error> fate_;  // why it is dead
};

}  // namespace stepper::plugin
