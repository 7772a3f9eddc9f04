#include "core/engine/held_slot.h"

#include "core/limits/hints.h"
#include "core/telemetry/rounds.h"

namespace stepper::engine {
namespace {

void alert(const ProviderEntry& provider, limits::SetAside why) {
    const std::string reason =
        why == limits::SetAside::KeyRefused
            ? "the provider refused its API key; it is left alone until the next try, or until a new key is "
              "configured"
            : "the provider does not know the model '" + provider.spec.model +
                  "'; it is left alone until the next try, or until its configuration changes";
    log::error("alert", {{"provider", provider.spec.name}, {"reason", reason}});
}

}  // namespace

HeldSlot::~HeldSlot() {
    // The slot itself is given back without memory; what is learned and who is let in may take some.
    hasMemoryFor("giving back a slot", [this] {
        if (const auto news = provider_.gate->leave(pass_, report_)) alert(provider_, *news);
    });
    hasMemoryFor("letting requests in", [this] { dispatcher_.roomMade(); });
}

void HeldSlot::heard(const transport::Headers& headers) {
    provider_.gate->hear(pass_, limits::allowancesIn(headers, std::chrono::system_clock::now()));
}

}  // namespace stepper::engine
