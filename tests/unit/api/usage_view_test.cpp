#include "core/api/usage_view.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

using engine::Day;
using engine::UsageCounts;

TEST(UsageJson, DaysTenantsProvidersAndTheTotal) {
    const Day day = std::chrono::floor<std::chrono::days>(ManualClock().wall());
    UsageCounts priced{3, 1, 100, 20, 0.25}, free{2, 0, 7, 3, {}};
    const auto json = usageJson({{day, {{"", {{"local", free}}}, {"t", {{"groq", priced}, {"local", free}}}}},
                                 {day - std::chrono::days(1), {}}});
    EXPECT_EQ(
        json,
        R"({"days":[{"day":"2026-01-01","tenants":[)"
        R"({"tenant":"","providers":[{"provider":"local","requests":2,"failed":0,"promptTokens":7,"completionTokens":3}]},)"
        R"({"tenant":"t","providers":[{"provider":"groq","requests":3,"failed":1,"promptTokens":100,"completionTokens":20,)"
        R"("estimatedCost":0.25},{"provider":"local","requests":2,"failed":0,"promptTokens":7,"completionTokens":3}]}]},)"
        R"({"day":"2025-12-31","tenants":[]}],)"
        R"("total":{"requests":7,"failed":1,"promptTokens":114,"completionTokens":26,"estimatedCost":0.25}})");
}

TEST(UsageJson, WithoutAPriceThereIsNoCost) {
    EXPECT_EQ(usageJson({}),
              R"({"days":[],"total":{"requests":0,"failed":0,"promptTokens":0,"completionTokens":0}})");
}

}  // namespace
}  // namespace stepper::api
