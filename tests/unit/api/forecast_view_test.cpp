#include "core/api/forecast_view.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

using namespace std::chrono_literals;

Forecaster provider(std::string name, int64_t per_minute, std::optional<milliseconds> first_in) {
    return {std::move(name), [=](milliseconds within) { return per_minute * (1 + within / 1min); }, first_in};
}

std::string view(int64_t jobs, int64_t queued, const std::vector<Forecaster>& providers) {
    return forecastJson(jobs, queued, providers, ManualClock().wall());
}

TEST(ForecastJson, TellsWhenAndByWhom) {
    EXPECT_EQ(view(5, 40, {provider("a", 10, 0ms), provider("b", 5, 1500ms)}),
              R"({"jobs":5,"queued":40,"ready":true,"estimatedSeconds":120,)"
              R"("estimatedAt":"2026-01-01T00:02:00.000Z","providers":[)"
              R"({"provider":"a","share":0.6667,"firstInSeconds":0},)"
              R"({"provider":"b","share":0.3333,"firstInSeconds":2}]})");
}

TEST(ForecastJson, NothingToDoIsDone) {
    EXPECT_EQ(view(0, 0, {provider("a", 1, std::nullopt)}),
              R"({"jobs":0,"queued":0,"ready":false,"estimatedSeconds":0,)"
              R"("estimatedAt":"2026-01-01T00:00:00.000Z","providers":[)"
              R"({"provider":"a","share":0.0,"firstInSeconds":null}]})");
}

TEST(ForecastJson, WithoutAnEstimateThereIsAReason) {
    EXPECT_EQ(view(0, 0, {}),
              R"({"jobs":0,"queued":0,"ready":false,"estimatedSeconds":null,"estimatedAt":null,)"
              R"("reason":"No provider is enabled","providers":[]})");
    EXPECT_EQ(view(1, 0, {provider("a", 0, 5s)}),
              R"({"jobs":1,"queued":0,"ready":false,"estimatedSeconds":null,"estimatedAt":null,)"
              R"("reason":"The providers would need more than 31 days","providers":[)"
              R"({"provider":"a","share":0.0,"firstInSeconds":5}]})");
}

}  // namespace
}  // namespace stepper::api
