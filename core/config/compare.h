// What a reload changes. Pure.
#pragma once
#include <string>
#include <vector>

#include "core/config/config.h"

namespace stepper::config {

// One sentence a change, without secrets; none when both mean the same.
std::vector<std::string> differences(const Config& from, const Config& to);

// What is read only when the process starts: `next` gets what `running` has. Returns the keys where they
// differed.
std::vector<std::string> keepFixed(Config& next, const Config& running);

}  // namespace stepper::config
