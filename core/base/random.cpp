#include "core/base/random.h"

#include <random>

namespace stepper {

double chance() {
    thread_local std::minstd_rand random(std::random_device{}());
    return std::uniform_real_distribution<>(0, 1)(random);
}

std::chrono::milliseconds fullJitter(std::chrono::milliseconds most) {
    return std::chrono::milliseconds(static_cast<int64_t>(chance() * static_cast<double>(most.count())));
}

}  // namespace stepper
