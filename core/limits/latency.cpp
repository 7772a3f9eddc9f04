#include "core/limits/latency.h"

#include <algorithm>
#include <cmath>

namespace stepper::limits {
namespace {

constexpr milliseconds kForget{900'000};

}  // namespace

void Latency::add(SteadyTime now, milliseconds took) { samples_[count_++ % samples_.size()] = {now, took}; }

std::optional<milliseconds> Latency::quantile(SteadyTime now, double q) const {
    std::array<milliseconds, std::tuple_size_v<decltype(samples_)>> recent;
    size_t n = 0;
    for (size_t i = 0; i < std::min(count_, samples_.size()); ++i)
        if (now - samples_[i].at <= kForget) recent[n++] = samples_[i].took;
    if (n == 0) return std::nullopt;
    const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(n)));
    const auto wanted = recent.begin() + static_cast<ptrdiff_t>(std::clamp<size_t>(rank, 1, n) - 1);
    std::nth_element(recent.begin(), wanted, recent.begin() + static_cast<ptrdiff_t>(n));
    return *wanted;
}

}  // namespace stepper::limits
