// The connections that wait for a request, so that one can make room for a client that has one.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>

namespace stepper::http {

// Safe from any thread; outlives its stays.
class IdleConnections {
public:
    // From construction to destruction the connection waits, and nobody closes its descriptor.
    class Stay {
    public:
        Stay(IdleConnections& all, uint64_t turn) : all_(all), turn_(turn) {}
        ~Stay();
        Stay(const Stay&) = delete;
        Stay& operator=(const Stay&) = delete;

    private:
        IdleConnections& all_;
        const uint64_t turn_;
    };

    Stay enter(int fd);
    // Ends the wait of whoever has waited longest, as if its client had left; one whose request has come is
    // passed over. False when nobody waits.
    bool dismissOne();

private:
    std::mutex mutex_;
    uint64_t next_ = 0;
    std::map<uint64_t, int> waiting_;  // descriptors, in the order they began to wait
};

}  // namespace stepper::http
