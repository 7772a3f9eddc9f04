// A provider's slot in the hands of a call: given back whatever happens in between.
#pragma once
#include "core/engine/attempt.h"
#include "core/engine/dispatcher.h"

namespace stepper::engine {

// Belongs to the calling thread. At its end the gate learns what was learned, somebody is alerted if only a
// hand can mend it, and whoever waits for the slot is told.
class HeldSlot final : public AttemptListener {
public:
    HeldSlot(const ProviderEntry& provider, limits::Pass pass, Dispatcher& dispatcher)
        : provider_(provider), pass_(std::move(pass)), dispatcher_(dispatcher) {}
    ~HeldSlot() override;
    HeldSlot(const HeldSlot&) = delete;
    HeldSlot& operator=(const HeldSlot&) = delete;

    void sent() override { provider_.gate->sent(pass_); }
    void heard(const transport::Headers& headers) override;
    // The call goes out with another key than the gate chose: what becomes of it says nothing of that one.
    void disown() { pass_.target = limits::kNoTarget; }
    const limits::Pass& pass() const { return pass_; }
    void learned(limits::Report report) { report_ = std::move(report); }

private:
    const ProviderEntry& provider_;
    limits::Pass pass_;
    Dispatcher& dispatcher_;
    limits::Report report_;
};

}  // namespace stepper::engine
