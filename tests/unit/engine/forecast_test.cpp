#include "core/engine/forecast.h"

#include <limits>

#include <gtest/gtest.h>

namespace stepper::engine {
namespace {

using namespace std::chrono_literals;
using Taken = std::vector<int64_t>;

// `n` at once, and again whenever `per` has passed.
Capacity every(milliseconds per, int64_t n) {
    return [=](milliseconds within) { return n * (1 + within / per); };
}
// Nothing for a while.
Capacity after(milliseconds pause, Capacity then) {
    return [=](milliseconds within) { return within < pause ? 0 : then(within - pause); };
}
const Capacity kUnlimited = [](milliseconds) { return std::numeric_limits<int64_t>::max(); };
const Capacity kNever = [](milliseconds) { return int64_t{0}; };

struct Case {
    int64_t requests;
    std::vector<Capacity> providers;
    std::optional<std::chrono::seconds> done_in;
    Taken taken;
};

TEST(Forecast, Table) {
    const Case cases[] = {
        {0, {}, 0s, {}},
        {1, {}, std::nullopt, {}},
        {0, {every(1min, 10)}, 0s, {0}},
        {10, {every(1min, 10)}, 0s, {10}},
        {11, {every(1min, 10)}, 60s, {11}},
        {20, {every(1min, 10)}, 60s, {20}},
        {21, {every(1min, 10)}, 120s, {21}},
        // 10 + 20 + 5 every 5 s.
        {210, {every(5s, 10), every(5s, 20), every(5s, 5)}, 25s, {60, 120, 30}},
        {1, {every(2500ms, 1), kNever}, 0s, {1, 0}},
        {2, {every(2500ms, 1), kNever}, 3s, {2, 0}},
        {5, {after(7s, every(1s, 1))}, 11s, {5}},
        {5, {after(7s, kUnlimited), after(9s, kUnlimited)}, 7s, {5, 0}},
        {std::numeric_limits<int64_t>::max(),
         {kUnlimited, kUnlimited},
         0s,
         {std::numeric_limits<int64_t>::max(), 0}},
        {1, {kNever}, std::nullopt, {0}},
        {32, {every(24h, 1)}, 31 * 24h, {32}},
        {33, {every(24h, 1)}, std::nullopt, {32}},
    };
    for (const auto& c : cases) {
        const auto got = forecast(c.requests, c.providers);
        EXPECT_EQ(got.done_in, c.done_in) << c.requests;
        EXPECT_EQ(got.taken, c.taken) << c.requests;
    }
}

TEST(Forecast, AsksSeldom) {
    int asked = 0;
    std::vector<Capacity> providers;
    for (int i = 0; i < 20; ++i)
        providers.push_back([&asked](milliseconds within) {
            ++asked;
            return 1 + within / 1min;
        });
    EXPECT_TRUE(forecast(100'000, providers).done_in);
    EXPECT_LE(asked, 20 * 25);
}

}  // namespace
}  // namespace stepper::engine
