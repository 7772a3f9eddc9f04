#include "core/api/guard.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

class GuardTest : public testing::Test {
protected:
    int status(http::Headers headers, std::string_view route = "/v1/generate/immediate") {
        http::Request request;
        request.method = method_;
        request.headers = std::move(headers);
        added_.clear();
        const auto response = Guard(security_).check(request, route, added_);
        return response ? response->status : 0;
    }
    std::string added(std::string_view name) const {
        for (const auto& [n, v] : added_)
            if (n == name) return v;
        return {};
    }
    config::Security security_;
    http::Headers added_;
    std::string method_ = "POST";
};

TEST_F(GuardTest, WithoutAKeyEverybodyPasses) { EXPECT_EQ(status({}), 0); }

TEST_F(GuardTest, AKeyIsTakenFromEitherHeader) {
    security_.api_key_enabled = true;
    security_.api_key = config::Secret("sesame");
    EXPECT_EQ(status({}), 401);
    EXPECT_EQ(status({{"x-api-key", "sesam"}}), 401);
    EXPECT_EQ(status({{"x-api-key", "sesame"}}), 0);
    EXPECT_EQ(status({{"authorization", "bearer sesame"}}), 0);
    EXPECT_EQ(status({{"authorization", "Basic sesame"}}), 401);
    EXPECT_EQ(status({}, "/health"), 0);
    EXPECT_EQ(status({}, "/metrics"), 401);
    security_.api_key_skip_health = false;
    EXPECT_EQ(status({}, "/health"), 401);
}

TEST_F(GuardTest, AnEmptyConfiguredKeyLetsNobodyIn) {
    security_.api_key_enabled = true;
    EXPECT_EQ(status({{"x-api-key", ""}}), 401);
    EXPECT_EQ(status({{"authorization", "Bearer "}}), 401);
}

TEST_F(GuardTest, OnlyListedOriginsAreAnswered) {
    security_.cors.allowed_origins = {"https://a.example"};
    EXPECT_EQ(status({{"origin", "https://a.example"}}), 0);
    EXPECT_EQ(added("Access-Control-Allow-Origin"), "https://a.example");
    EXPECT_EQ(status({{"origin", "https://a.example.evil"}}), 0);
    EXPECT_EQ(added("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(added("Vary"), "Origin");
}

TEST_F(GuardTest, APreflightNeedsNoKey) {
    security_.cors.allowed_origins = {"https://a.example"};
    security_.api_key_enabled = true;
    security_.api_key = config::Secret("sesame");
    method_ = "OPTIONS";
    EXPECT_EQ(status({{"origin", "https://a.example"}, {"access-control-request-method", "POST"}}), 204);
}

}  // namespace
}  // namespace stepper::api
