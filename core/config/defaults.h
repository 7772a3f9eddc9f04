// The two files of config/ as built into the program, for a run without any. Constant; any thread.
#pragma once
#include <string_view>

namespace stepper::config {

std::string_view defaultStepperYaml();
std::string_view defaultProvidersYaml();

}  // namespace stepper::config
