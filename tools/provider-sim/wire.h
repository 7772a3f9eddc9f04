// The connected socket of one request, for answers no HTTP library would send. Borrows the socket; one
// thread.
#pragma once
#include <string_view>

#include "core/base/cancel.h"

namespace stepper::sim {

// How the program ends, for all who wait.
struct Ending {
    CancelSource source{CancelReason::Draining};
    CancelDescriptor seen{source};
    HangUps hang_ups{};
};

class Wire {
public:
    Wire(int socket, Ending& ending);

    // False once the client has gone or the program stops: nothing more can be sent.
    bool send(std::string_view bytes);
    // Waits that long; false as soon as the client has gone or the program stops.
    bool wait(milliseconds d);
    // Waits for the client to go.
    void hang();
    // The connection ends with a reset instead of an orderly close, when its owner closes it.
    void resetOnClose();

    bool clientGone() const { return client_gone_; }

private:
    bool note(CancelReason reason);

    int socket_;
    CancelToken token_;
    int stop_fd_;
    bool client_gone_ = false;
};

}  // namespace stepper::sim
