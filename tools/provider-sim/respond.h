// Puts a reply on the wire the way a step's delivery says: all misbehaviour of the transport is here.
#pragma once
#include <functional>

#include "tools/provider-sim/step.h"
#include "tools/provider-sim/wire.h"

namespace stepper::sim {

struct Delivered {
    int status = 0;         // 0 when no complete head was sent
    bool reusable = false;  // the connection may carry another request
};

// Returns when the reply is out, the client has gone, or the program stops. `settle` is called right before
// the last bytes, so that whoever has the whole reply finds it counted; it is not called when the reply does
// not get that far.
Delivered respond(Wire& wire, const Reply& reply, const Delivery& delivery,
                  const std::function<void()>& settle);

}  // namespace stepper::sim
