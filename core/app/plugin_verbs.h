// What `stepper plugin VERB` does; `words` are those after VERB. Each returns the process's exit status.
#pragma once
#include <string>
#include <vector>

#include "core/app/options.h"

namespace stepper::app {

using Words = std::vector<std::string>;

int pluginList(const Options& options, const Words& words);
int pluginNew(const Options& options, const Words& words);
int pluginTest(const Options& options, const Words& words);
int pluginTry(const Options& options, const Words& words);

// Writes the problem to standard error; returns `status`.
int complain(const std::string& problem, int status = kExitFailure);

}  // namespace stepper::app
