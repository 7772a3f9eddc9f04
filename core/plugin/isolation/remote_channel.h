// One end of the socket between the host and a plugin's own process: whole frames in and out, under
// deadlines. One frame is one write and, when it is small, one read. Not safe for several threads; its owner
// locks.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/plugin/isolation/remote_wire.h"

namespace stepper::plugin {

// How a frame went.
enum class Transfer { Ok, Closed, TimedOut, Garbled };

// For ever.
inline constexpr SteadyTime kNoDeadline = SteadyTime::max();

class RemoteChannel {
public:
    // Does not own the descriptor. `patience`: how far the deadline of a round trip lies ahead when it is
    // sent; zero: there is none. Known beforehand, it spares the answer a poll.
    RemoteChannel(int fd, milliseconds patience);

    Transfer send(std::string_view frame, SteadyTime until);
    // Sends it now or not at all. False: dropped.
    bool offer(std::string_view frame);
    // The next frame; `payload` is replaced. Grows with what has arrived, not with what was announced.
    Transfer receive(wire::Kind& kind, std::string& payload, SteadyTime until);
    // The other end is gone, as far as can be seen without waiting.
    bool closed() const;

private:
    // What has come, or comes in a moment, without sleeping.
    bool look(char* to, size_t room, size_t& got) const;
    Transfer read(char* to, size_t room, SteadyTime until, size_t& got);
    Transfer fill(SteadyTime until);

    static constexpr size_t kStaging = 65'536;
    int fd_;
    bool just_sent_ = false;
    std::unique_ptr<char[]> staging_;
    size_t begin_ = 0, end_ = 0;  // what of staging_ has arrived and was not taken yet
};

}  // namespace stepper::plugin
