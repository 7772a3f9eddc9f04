#include "core/telemetry/metrics.h"

#include <gtest/gtest.h>

namespace stepper {
namespace {

constexpr RequestLabels kGeneric{"generic", "json"}, kReport{"commit-report", "json"};

class MetricsTest : public testing::Test {
protected:
    // Labels in the order of their names, as the exposition has them.
    void expectSeries(std::string_view line) {
        EXPECT_NE(metrics_.render().find("\n" + std::string(line) + "\n"), std::string::npos) << line;
    }
    Metrics metrics_;
};

TEST_F(MetricsTest, CallsOfProvidersAreCountedAsInherited) {
    for (int i = 0; i < 3; ++i) metrics_.attempted("one", kGeneric);
    metrics_.succeeded("one", kGeneric, milliseconds{1500});
    metrics_.failed("one", "TIMEOUT", kGeneric);
    metrics_.attempted("one", kReport);
    const std::string of = R"(preset="generic",provider="one",)";
    expectSeries("ai_requests_total{" + of + R"(response_mode="json",status="attempted"} 3)");
    expectSeries("ai_requests_total{" + of + R"(response_mode="json",status="success"} 1)");
    expectSeries("ai_requests_total{" + of + R"(response_mode="json",status="failed"} 1)");
    expectSeries(
        R"(ai_requests_total{preset="commit-report",provider="one",response_mode="json",status="attempted"} 1)");
    expectSeries("provider_failures_total{" + of + R"(reason="TIMEOUT",response_mode="json"} 1)");
    expectSeries("ai_request_duration_seconds_count{" + of + R"(response_mode="json"} 1)");
    expectSeries("ai_request_duration_seconds_sum{" + of + R"(response_mode="json"} 1.5)");
}

TEST_F(MetricsTest, InheritedBucketsAreAllThere) {
    metrics_.succeeded("one", kGeneric, milliseconds{1});
    for (const char* le : {"0.1", "0.5", "1", "2", "5", "10", "30", "+Inf"})
        expectSeries(
            R"(ai_request_duration_seconds_bucket{preset="generic",provider="one",response_mode="json",le=")" +
            std::string(le) + "\"} 1");
}

TEST_F(MetricsTest, TheCacheTellsKindsOfRequestsApart) {
    metrics_.cacheHit("stale", kReport);
    metrics_.cacheMiss(kGeneric);
    expectSeries(R"(cache_hits_total{preset="commit-report",response_mode="json",status="stale"} 1)");
    expectSeries(R"(cache_misses_total{preset="generic",response_mode="json"} 1)");
}

TEST_F(MetricsTest, AJobWithAFallbackIsASuccessWhereItWasOne) {
    for (const char* how : {"completed", "fallback", "failed", "cancelled"}) metrics_.jobEnded(how);
    expectSeries(R"(jobs_processed_total{status="success"} 2)");
    expectSeries(R"(jobs_processed_total{status="failed"} 1)");
    for (const char* how : {"completed", "fallback", "failed", "cancelled"})
        expectSeries(R"(stepper_jobs_ended_total{status=")" + std::string(how) + "\"} 1");
}

// Values that would be the same text side by side are not the same series.
TEST_F(MetricsTest, LabelsAreNotRunTogether) {
    metrics_.reload(true, 2);
    metrics_.quotaRemaining("a", "bc", 1);
    metrics_.quotaRemaining("ab", "c", 2);
    metrics_.quotaRemaining("a", "bc", 3);
    expectSeries(R"(stepper_quota_remaining{provider="a",window="bc"} 3)");
    expectSeries(R"(stepper_quota_remaining{provider="ab",window="c"} 2)");
}

}  // namespace
}  // namespace stepper
