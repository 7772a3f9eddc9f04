// Chance, for spreading things in time. Not for secrets. Safe from any thread.
#pragma once
#include <chrono>

namespace stepper {

// Uniform in [0, 1).
double chance();

// Uniform in [0, most): "full jitter", so that those who failed together do not come back together.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
std::chrono::milliseconds fullJitter(std::chrono::milliseconds most);

}  // namespace stepper
