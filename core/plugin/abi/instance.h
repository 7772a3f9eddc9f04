// Where a configured provider's plugin code runs: in this process, or in one of its own. Speaks the ABI's own
// structs and polices nothing; that is done in session.cpp, the same for both.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/plugin/library/image.h"

namespace stepper::plugin {

// What a session is begun for; the ABI's jobs.
enum class Purpose : int32_t { Generate = 0, Probe = 1, Warmup = 2, Models = 3 };

// One session of the plugin, not policed yet; destruction ends it. Belongs to one thread at a time.
class RawSession {
public:
    virtual ~RawSession() = default;
    // Delivers the event and fills `out`, whose views stay valid until the next call. `event.emit` is called
    // on this thread, during this call. Error: there is nobody left to ask (it threw, its process died); only
    // destruction may follow.
    virtual Result<void> step(const stepper_event& event, stepper_action& out) = 0;
};

// A configured provider; destruction destroys it, after the last of its sessions. Safe from any thread.
class Instance {
public:
    virtual ~Instance() = default;
    // The plugin's error class and words when it refuses.
    virtual Result<std::unique_ptr<RawSession>> begin(Purpose purpose, std::string_view request_json) = 0;
};

// Maps the image if it is not yet, and creates the provider here. Config error with the plugin's words, or
// when it takes longer than the image's errands may.
Result<std::unique_ptr<Instance>> createInProcess(std::shared_ptr<const PluginImage> image,
                                                  std::string config_json);

}  // namespace stepper::plugin
