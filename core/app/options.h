// Command-line words. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace stepper::app {

// Exit statuses, after sysexits.h where it has one.
inline constexpr int kExitOk = 0, kExitFailure = 1, kExitUsage = 64, kExitConfig = 78;

struct Options {
    std::optional<std::string> config;    // --config FILE
    std::optional<std::string> listen;    // --listen HOST:PORT
    std::optional<std::string> server;    // --server URL
    std::optional<std::string> provider;  // --provider NAME
    std::optional<std::string> seconds;   // --seconds N
    std::optional<std::string> seed;      // --seed N
    std::vector<std::string> set;         // --set KEY=VALUE, any number of times
    bool async = false;                   // --async
    bool json = false;                    // --json
    bool recover = false;                 // --recover
    bool child = false;                   // --child: this process only probes, see plugin/child_probe.h
    std::vector<std::string> words;       // everything else, in order
};

// "--name value" and "--name=value"; after "--" all are words. Config error naming the unknown option.
Result<Options> parseOptions(const std::vector<std::string>& arguments);

}  // namespace stepper::app
