#include "core/base/random.h"

#include <random>

namespace stepper {

double chance() {
    thread_local std::minstd_rand random(std::random_device{}());
    return std::uniform_real_distribution<>(0, 1)(random);
}

}  // namespace stepper
