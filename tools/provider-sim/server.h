// The HTTP server around the simulator. Poco accepts connections and reads heads; answers are written by the
// simulator.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "tools/provider-sim/simulator.h"

namespace stepper::sim {

class Server {
public:
    // Listens at once, port 0 picks a free one. Throws Poco::Exception when the address cannot be had,
    // which includes that another process has it.
    Server(Simulator& simulator, const std::string& host, uint16_t port);
    // Ends every connection, also those that hang.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::string url() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace stepper::sim
