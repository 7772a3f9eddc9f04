// A request's way along its providers: the asking around a Walk, which decides.
#pragma once
#include "core/base/cancel.h"
#include "core/engine/dispatcher.h"
#include "core/engine/engine.h"

namespace stepper::engine {

// Blocks until a provider's answer passed validation, nobody else may be asked, the deadline or until
// cancelled. An answer or a failure, never the fallback. On the calling thread; what is given must outlive
// it.
Outcome walkChain(const EngineDeps& with, Dispatcher& dispatcher, const Snapshot& snapshot,
                  const GenerateRequest& request, SteadyTime deadline, CancelToken& cancel,
                  const RunOptions& options);

// The same failure as that would come to, when all providers there are can only be passed over for the
// request's size; else none. Asks nobody.
std::optional<Outcome> tooLargeForAll(const Snapshot& snapshot, const GenerateRequest& request,
                                      SteadyTime now);

}  // namespace stepper::engine
