// What a provider's gate is to learn from an attempt. Pure, any thread.
#pragma once
#include "core/engine/attempt.h"
#include "core/engine/request.h"
#include "core/limits/gate.h"

namespace stepper::engine {

// `out_of_time`: it was the request's own time that was up, not the provider's. A poor answer is still an
// answer of a provider that works; what another model than its own lacks says nothing of that one.
limits::Report lessonOf(const Attempted& got, const GenerateRequest& request,
                        const config::Provider& provider, bool out_of_time);

}  // namespace stepper::engine
