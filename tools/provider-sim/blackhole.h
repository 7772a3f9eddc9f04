// An address to which connections never come about, like one behind a firewall that drops packets. One
// thread.
#pragma once
#include <cstdint>
#include <vector>

namespace stepper::sim {

class Blackhole {
public:
    // Listens on a free port of 127.0.0.1 and fills the queue of connections nobody accepts. Port 0 when it
    // cannot.
    Blackhole();
    ~Blackhole();
    Blackhole(const Blackhole&) = delete;
    Blackhole& operator=(const Blackhole&) = delete;

    uint16_t port() const { return port_; }

private:
    std::vector<int> sockets_;
    uint16_t port_ = 0;
};

}  // namespace stepper::sim
