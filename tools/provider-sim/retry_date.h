// The three forms HTTP has for a date. Pure function.
#pragma once
#include <string>

#include "tools/provider-sim/step.h"

namespace stepper::sim {

// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or "Sun Nov  6 08:49:37 1994".
std::string httpDate(WallTime when, DateForm form);

}  // namespace stepper::sim
