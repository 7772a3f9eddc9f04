// The body of an isolated plugin's own process: answers the host on descriptor 3 until the host closes it.
#pragma once
#include <filesystem>

namespace stepper::plugin {

// Maps the file itself, with little to spend (memory, descriptors, no core file). One thread; a call that
// takes longer than the host waits ends the process, even when the host is gone. The exit status.
int remoteMain(const std::filesystem::path& so);

}  // namespace stepper::plugin
