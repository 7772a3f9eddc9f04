// What the command line says to a verb. A value.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/endpoint.h"
#include "core/config/config.h"

namespace stepper::app {

// Exit statuses, after sysexits.h where it has one.
inline constexpr int kExitOk = 0, kExitFailure = 1, kExitUsage = 64, kExitSystem = 71, kExitOutput = 74,
                     kExitConfig = 78;

struct Options {
    std::optional<std::string> config;    // FILE, -c FILE
    std::optional<std::string> env_file;  // --env-file PATH
    std::optional<Endpoint> listen;       // --listen HOST:PORT
    std::optional<std::string> server;    // --server URL: http or https, no slash at its end
    std::optional<config::Secret> key;    // --key KEY
    std::optional<std::string> provider;  // --provider NAME
    std::optional<std::string> system;    // --system TEXT
    std::optional<std::string> model;     // --model NAME
    std::optional<double> temperature;    // --temperature N, from 0 to 2
    std::optional<milliseconds> fuzzing;  // --seconds N
    std::optional<uint64_t> seed;         // --seed N
    std::vector<std::string> set;         // --set KEY=VALUE, any number of times
    bool async = false;                   // --async
    bool defaults = false;                // --defaults
    bool reference = false;               // --reference
    bool json = false;                    // --json
    bool recover = false;                 // --recover
    bool no_http = false;                 // --no-http
    bool child = false;                   // --child: a process of our own, see plugin/child_probe.h

    std::string prompt;                    // PROMPT, or - for standard input
    std::string so;                        // SO, a plugin's file
    std::vector<std::string> transcripts;  // TRANSCRIPT...
    std::string name;                      // NAME of a plugin to be, or of a provider
    std::string folder;                    // FOLDER, empty when none is named
    std::vector<std::string> ids;          // ID..., or one state of jobs
    std::string state;                     // STATE of jobs, empty for any
    std::string since, tenant;             // --since, --tenant of jobs, empty for any
};

}  // namespace stepper::app
