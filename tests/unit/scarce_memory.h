// Memory that is refused: a test that links scarce_memory.cpp says which allocation of a thread throws.
#pragma once

namespace stepper::test {

// The calling thread's n-th allocation by `new` from now on, 1 being the next, throws std::bad_alloc; those
// behind it are served. 0: none.
void refuseAllocation(int n);
// Whether the thread's last refuseAllocation() came to be.
bool wasRefused();

}  // namespace stepper::test
