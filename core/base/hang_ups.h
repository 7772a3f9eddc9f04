// Tells sleepers that the client of a socket may have hung up. One thread watches for all of them, on
// descriptors taken at its start, so that who waits needs none of its own and looks at nothing meanwhile. The
// price is two system calls for each wait that has a client.
#pragma once
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "core/base/bell.h"
#include "core/base/descriptor.h"

namespace stepper {

// Safe from any thread; outlives its watches.
class HangUps {
public:
    // Throws std::system_error when the system refuses it what it needs.
    HangUps();
    ~HangUps();
    HangUps(const HangUps&) = delete;
    HangUps& operator=(const HangUps&) = delete;

    // From construction to destruction `sleeper` is woken when the peer of the connected socket has closed
    // it, or its direction to us; bytes that arrive wake nobody. The socket stays open meanwhile.
    class Watch {
    public:
        Watch(HangUps& all, int socket, Sleeper& sleeper) noexcept;
        ~Watch();
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        // False when the system refused it: nobody will tell.
        bool isOn() const { return on_; }

    private:
        HangUps& all_;
        const int socket_;
        uint64_t turn_ = 0;
        bool on_ = false;
    };

private:
    void loop();

    Descriptor epoll_, stop_;
    std::mutex mutex_;
    uint64_t next_ = 1;  // 0 is the end
    std::unordered_map<uint64_t, Sleeper*>
        sleepers_;  // a socket's number may be another's by now, a turn not
    std::thread thread_;
};

}  // namespace stepper
