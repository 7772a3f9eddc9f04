// The error bodies of OpenAI and of the providers that speak its format with errors of their own. Pure
// functions.
#pragma once
#include "tools/provider-sim/formats/common.h"

namespace stepper::sim {

// The HTTP status this flavour uses for the failure.
int openAiStatus(Flavor flavor, const Failure& failure);
Reply openAiError(const Ask& ask, const Failure& failure);
// The object under "error" of a stream event.
J openAiStreamError(const Ask& ask, const Failure& failure);

}  // namespace stepper::sim
