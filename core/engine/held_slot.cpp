#include "core/engine/held_slot.h"

#include "core/limits/hints.h"
#include "core/telemetry/rounds.h"

namespace stepper::engine {

HeldSlot::~HeldSlot() {
    // The slot itself is given back without memory; what is learned and who is let in may take some.
    hasMemoryFor("giving back a slot", [this] {
        provider_.chronicle->news(provider_.gate->leave(pass_, report_), provider_.spec.model);
    });
    hasMemoryFor("letting requests in", [this] { dispatcher_.roomMade(); });
}

void HeldSlot::heard(const transport::Headers& headers) {
    provider_.gate->hear(pass_, limits::allowancesIn(headers, std::chrono::system_clock::now()));
}

}  // namespace stepper::engine
