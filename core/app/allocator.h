// What malloc keeps of the memory that this process freed.
#pragma once

namespace stepper::app {

// Freed memory goes back to the system, and little of it is kept for each thread. Once, before the first thread starts.
void giveFreedMemoryBack();

}  // namespace stepper::app
