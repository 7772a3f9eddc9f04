// Chance, for spreading things in time. Not for secrets. Safe from any thread.
#pragma once

namespace stepper {

// Uniform in [0, 1).
double chance();

}  // namespace stepper
