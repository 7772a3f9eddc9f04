// What `stepper VERB` does. Each returns the process's exit status.
#pragma once
#include "core/app/options.h"

namespace stepper::app {

int serve(const Options& options);
int check(const Options& options);
int generate(const Options& options);
int jobsVerb(const Options& options);
int pluginVerb(const Options& options);

}  // namespace stepper::app
