// What `stepper VERB` does. Each returns the process's exit status.
#pragma once
#include "core/app/options.h"

namespace stepper::app {

int serve(const Options& options);
int check(const Options& options);
int showConfig(const Options& options);
int generate(const Options& options);
int reload(const Options& options);

int jobsList(const Options& options);
int jobsShow(const Options& options);
int jobsRetry(const Options& options);
int jobsCancel(const Options& options);
int jobsPurge(const Options& options);

int providerTest(const Options& options);

int pluginNew(const Options& options);
int pluginTest(const Options& options);
int pluginTry(const Options& options);
int pluginList(const Options& options);
int pluginInspect(const Options& options);
int pluginProbe(const Options& options);
// Only this program starts itself so, for a provider with a process of its own; see plugin/remote_main.h.
int pluginHost(const Options& options);

// Writes the problem to standard error; returns `status`.
int complain(const std::string& problem, int status = kExitFailure);
// What "-" stands for is read from standard input. Nothing, after having complained, when that fails or when
// there is no prompt in it.
std::optional<std::string> promptOf(const Options& options);

}  // namespace stepper::app
