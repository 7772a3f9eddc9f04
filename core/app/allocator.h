// What this process takes of memory beyond what it uses.
#pragma once

namespace stepper::app {

// Freed memory goes back to the system, and little of it is kept for each thread. Once, before the first
// thread starts.
void giveFreedMemoryBack();

// Before threads are made: eight MiB of addresses for each stack are what a limit on them (ulimit -v) counts
// first.
void reserveLittlePerThread();

}  // namespace stepper::app
