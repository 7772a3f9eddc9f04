// The HTTP side of a server: what the endpoints ask of a runtime, and who listens.
#pragma once
#include <atomic>
#include <memory>
#include <optional>

#include "core/app/doors.h"
#include "core/http/http.h"
#include "core/runtime/runtime.h"

namespace stepper::app {

// Between bind() and its destruction the runtime must live. Everything but inFlight() is for one thread.
class Front {
public:
    // Listens where the configuration says; nobody is served before start(). Without doors there is no HTTP:
    // all that follows does nothing then. Config error when the address cannot be had.
    static Result<std::unique_ptr<Front>> bind(const config::Config& config, runtime::Runtime& runtime,
                                               std::shared_ptr<const Doors> doors);

    // Throws std::system_error when the system refuses it a thread.
    void start() {
        if (server_) server_->start();
    }
    // From now on it is not ready for more, as monitors are told.
    void beginDrain() { draining_ = true; }
    // Lets running requests finish until then.
    void drain(SteadyTime deadline);

    int inFlight() const { return server_ ? server_->inFlight() : 0; }
    // None without HTTP.
    std::optional<uint16_t> port() const { return server_ ? std::optional(server_->port()) : std::nullopt; }

private:
    std::atomic<bool> draining_{false};
    std::unique_ptr<http::Server> server_;
};

}  // namespace stepper::app
