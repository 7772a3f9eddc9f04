// Tries a plugin in a child process first: a constructor that crashes or hangs costs that child only.
#pragma once
#include <chrono>
#include <filesystem>

#include "core/base/result.h"

namespace stepper::plugin {

// Runs `program plugin probe --child file`, at most `timeout`. Config error saying how it ended and the last
// line it wrote to standard error. Safe from any thread.
Result<void> probeInChild(const std::filesystem::path& program, const std::filesystem::path& file,
                          std::chrono::milliseconds timeout);

}  // namespace stepper::plugin
