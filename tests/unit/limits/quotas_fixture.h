// What tests of Quotas share: configurations of one window, and sends at a clock that is moved by hand.
#pragma once
#include <gtest/gtest.h>

#include "core/limits/quotas.h"

namespace stepper::limits {

using namespace std::chrono_literals;

inline config::Limits requestsPer(int64_t n, milliseconds per) {
    config::Limits limits;
    limits.windows = {{.requests = n, .tokens = {}, .per = per}};
    limits.skew = 0ms;
    return limits;
}

inline config::Limits tokensPer(int64_t n, milliseconds per) {
    config::Limits limits;
    limits.windows = {{.requests = {}, .tokens = n, .per = per}};
    limits.skew = 0ms;
    return limits;
}

inline config::Limits perDay(std::optional<int64_t> requests, std::optional<int64_t> tokens) {
    config::Limits limits;
    limits.rpd = requests;
    limits.tpd = tokens;
    return limits;
}

class QuotasTest : public testing::Test {
protected:
    QuotasTest() { clock_.advance(12h); }

    milliseconds readyIn(Quotas& quotas, const Cost& cost = {}) {
        return std::chrono::ceil<milliseconds>(quotas.readyAt(cost) - clock_.now());
    }
    Permit send(Quotas& quotas, const Cost& cost = {}) {
        EXPECT_EQ(readyIn(quotas, cost), 0ms);
        Permit permit = quotas.reserve(cost);
        quotas.sent(permit);
        return permit;
    }
    // As many as may go now.
    int sendAll(Quotas& quotas) {
        int sends = 0;
        for (; readyIn(quotas) == 0ms && sends < 10'000; ++sends) send(quotas);
        return sends;
    }
    static int64_t used(Quotas& quotas, size_t window = 0) { return quotas.state().at(window).used; }
    static int64_t limit(Quotas& quotas, size_t window = 0) { return quotas.state().at(window).limit; }

    ManualClock clock_;
};

}  // namespace stepper::limits
