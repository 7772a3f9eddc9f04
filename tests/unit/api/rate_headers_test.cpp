#include "core/api/rate_headers.h"

#include <gtest/gtest.h>

#include "tests/unit/engine/support.h"

namespace stepper::api {
namespace {

using namespace std::chrono_literals;

config::Limits perMinute(int64_t n) {
    config::Limits out;
    out.rpm = n;
    out.skew = 0ms;
    return out;
}

class RateHeaders : public testing::Test {
protected:
    limits::Gate& add(const config::Limits& limits, int concurrency, bool enabled = true) {
        auto entry = engine::shoutEntry("p" + std::to_string(snapshot_.providers.size()), enabled);
        entry.spec.limits = limits;
        entry.spec.concurrency = concurrency;
        limits::GateOptions options;
        options.concurrency = concurrency;
        options.limits = limits;
        entry.gate = std::make_shared<limits::Gate>(clock_, options, [] { return 0.5; });
        snapshot_.providers.push_back(std::move(entry));
        return *snapshot_.providers.back().gate;
    }
    void send(limits::Gate& gate) {
        auto entry = gate.tryEnter({});
        ASSERT_TRUE(entry.pass);
        gate.sent(*entry.pass);
        gate.leave(*entry.pass, {limits::Report::Kind::Ok});
    }
    // "RateLimit | limit remaining reset", or "" without them.
    std::string headers() {
        http::Response response;
        addRateLimit(response, snapshot_, clock_.now());
        if (response.headers.empty()) return "";
        EXPECT_EQ(response.headers.size(), 4u);
        const char* names[] = {"RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining",
                               "X-RateLimit-Reset"};
        for (size_t i = 0; i < 4; ++i) EXPECT_EQ(response.headers[i].first, names[i]);
        return response.headers[0].second + " | " + response.headers[1].second + ' ' +
               response.headers[2].second + ' ' + response.headers[3].second;
    }
    ManualClock clock_;
    engine::Snapshot snapshot_;
};

TEST_F(RateHeaders, OnlyWhereRequestsAreCounted) {
    add({}, 4);
    add(perMinute(5), 4, false);
    config::Limits tokens;
    tokens.tpm = 1000;
    add(tokens, 4);
    EXPECT_EQ(headers(), "");
}

TEST_F(RateHeaders, WhatAllProvidersWouldTake) {
    auto& one = add(perMinute(3), 10);
    add(perMinute(10), 2);
    EXPECT_EQ(headers(), R"("providers";r=5;t=0 | 13 5 0)");
    send(one);
    EXPECT_EQ(headers(), R"("providers";r=4;t=0 | 13 4 0)");
}

TEST_F(RateHeaders, NeverMoreThanTheLimit) {
    add(perMinute(3), 10);
    add({}, 64);
    EXPECT_EQ(headers(), R"("providers";r=3;t=0 | 3 3 0)");
}

TEST_F(RateHeaders, WhenNothingIsLeftTheSoonestTells) {
    auto& one = add(perMinute(1), 10);
    auto& two = add(perMinute(1), 10);
    send(one);
    clock_.advance(20s);
    send(two);
    clock_.advance(10s);
    const auto reset = std::chrono::ceil<std::chrono::seconds>(one.room(1).more_at - clock_.now()).count();
    EXPECT_NEAR(static_cast<double>(reset), 30, 1);
    EXPECT_EQ(headers(), R"("providers";r=0;t=)" + std::to_string(reset) + " | 2 0 " + std::to_string(reset));
}

TEST_F(RateHeaders, WhoIsBusyIsAskedAgainSoon) {
    auto& one = add(perMinute(5), 1);
    const auto entry = one.tryEnter({});
    ASSERT_TRUE(entry.pass);
    EXPECT_EQ(headers(), R"("providers";r=0;t=1 | 5 0 1)");
    one.leave(*entry.pass, {});
}

TEST(SmallestQuota, OfAllWindowsOfRequests) {
    config::Limits limits;
    EXPECT_EQ(smallestQuota(limits), std::nullopt);
    limits.tpm = 5;
    limits.windows = {{std::nullopt, 7, 5s}};
    EXPECT_EQ(smallestQuota(limits), std::nullopt);
    limits.rpd = 250;
    EXPECT_EQ(smallestQuota(limits), 250);
    limits.rpm = 20;
    EXPECT_EQ(smallestQuota(limits), 20);
    limits.windows.push_back({12, std::nullopt, 5s});
    EXPECT_EQ(smallestQuota(limits), 12);
    limits.rps = 2.5;
    EXPECT_EQ(smallestQuota(limits), 2);
    limits.rps = 0.2;
    EXPECT_EQ(smallestQuota(limits), 1);
}

}  // namespace
}  // namespace stepper::api
