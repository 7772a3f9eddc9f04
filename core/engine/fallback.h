// What a request is answered when no provider could. Pure, any thread.
#pragma once
#include "core/engine/request.h"

namespace stepper::engine {

// For a commit a report made of the commit itself, otherwise a marked failure in the mode the client asked
// for.
json::Document fallbackFor(const GenerateRequest& request, bool redact);

}  // namespace stepper::engine
