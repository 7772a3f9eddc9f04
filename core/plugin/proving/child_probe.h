// Tries a plugin in a child process first: a constructor that crashes or hangs costs that child only.
#pragma once
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/plugin/library/image.h"
#include "core/plugin/library/private_copy.h"

namespace stepper::plugin {

// What to try a plugin with.
struct Trial {
    std::map<std::string, std::vector<std::string>> configs;  // JSON, by kind
    std::vector<std::filesystem::path> transcripts;
};

// Runs `program plugin probe --child COPY`, at most `timeout`, and takes the plugin's description from it.
// Config error saying how it ended and the last line it wrote to standard error; Overloaded when there was no
// process to be had. Safe from any thread.
Result<Description> probeInChild(const std::filesystem::path& program, const PrivateCopy& copy,
                                 const Trial& trial, std::chrono::milliseconds timeout);

// Body of that child: maps FILE, runs its constructors, entry and init; creates the providers it will have
// and plays a dry run with each; runs its transcripts; looks whether threads were left. Prints the
// description as one line of JSON, or the reason on standard error. The exit status.
int probeMain(const std::filesystem::path& file);

}  // namespace stepper::plugin
