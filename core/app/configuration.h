// Where a verb's configuration comes from: the files, the environment and what the command line says.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/app/options.h"
#include "core/base/result.h"
#include "core/config/config.h"

namespace stepper::app {

// What a configuration is read with.
struct Surroundings {
    config::Environment environment;    // the process's own, completed by an env file
    std::string config_file;            // empty: the built-in one
    std::filesystem::path env_file;     // empty: none
    std::vector<std::string> warnings;  // about the env file, complete sentences
};

// The env file is the one named by --env-file, else .env beside the configuration file where there is one. It
// is read anew each time, so a reload sees what changed. `env_file` of `out` is set also when it cannot be
// read.
Result<void> surround(const Options& options, Surroundings& out);

// The configuration file named by --config or STEPPER_CONFIG, or the built-in defaults; with --listen
// applied. `files` (may be null) gets what it tried to read, also when it fails.
Result<config::Config> loadConfig(const Options& options,
                                  std::vector<std::filesystem::path>* files = nullptr);

// The same without providers, for who only talks to the server.
Result<config::Config> loadSettings(const Options& options);

}  // namespace stepper::app
