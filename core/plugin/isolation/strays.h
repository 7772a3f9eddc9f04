// Processes that foreign code started and left running. Safe from any thread.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace stepper::plugin {

// In the environment of every process that runs foreign code alone, and of whatever that starts.
inline constexpr const char* kForeignMark = "STEPPER_PLUGIN_PROCESS=1";

// From now on what a child of ours leaves behind becomes a child of ours, even if it hid in a session of its
// own.
void adoptStrays();

// The children of this process, zombies included.
std::vector<pid_t> childrenHere();

// A child that foreign code made; not one that this process had before adoptStrays(), nor, as a container's
// first process, one of somebody else's.
bool isForeign(pid_t child);

// Kills those of our children, and of theirs, again until there is none or a second has passed. How many.
int endChildren(const std::function<bool(pid_t)>& which);

}  // namespace stepper::plugin
