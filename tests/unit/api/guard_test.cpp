#include "core/api/guard.h"

#include <gtest/gtest.h>

#include "tests/unit/api/table.h"

namespace stepper::api {
namespace {

class GuardTest : public testing::Test {
protected:
    int status(http::Headers headers, std::string_view route = "/v1/generate/immediate") {
        http::Request request;
        request.method = method_;
        request.caller.address = "192.0.2.1";
        request.headers = std::move(headers);
        added_.clear();
        const auto passed = Guard(config_, admin_).check(request, table_.roleOf(route), added_);
        const auto* response = std::get_if<http::Response>(&passed);
        if (!response) caller_ = std::get<http::Caller>(passed);
        answer_ = response ? response->body : "";
        return response ? response->status : 0;
    }
    std::string added(std::string_view name) const {
        for (const auto& [n, v] : added_)
            if (n == name) return v;
        return {};
    }
    const Table table_;
    config::Config config_;
    config::Security& security_ = config_.security;
    AdminKey admin_{config::Secret("for admins")};
    http::Headers added_;
    std::string answer_;
    std::string method_ = "POST";
    http::Caller caller_;  // who passed last
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
    for (const char* route : {"/", "/health", "/livez", "/metrics", "/readyz"}) {
        security_.api_key_skip_health = true;
        EXPECT_EQ(status({}, route), 0) << route;
        security_.api_key_skip_health = false;
        EXPECT_EQ(status({}, route), 401) << route;
    }
    security_.api_key_skip_health = true;
    EXPECT_EQ(status({}, "/v1/providers"), 401);
}

TEST_F(GuardTest, WhoPassesIsKnownByTheKeyThatWasAskedFor) {
    using http::Role;
    const http::Headers headers{{"x-api-key", "sesame"}, {"authorization", "Bearer for admins"}};
    const auto role = [&](std::string_view route) {
        EXPECT_EQ(status(headers, route), 0) << route;
        EXPECT_EQ(caller_.address, "192.0.2.1");
        return caller_.role;
    };
    EXPECT_EQ(role("/v1/jobs"), Role::Anybody) << "no key is asked for";
    security_.api_key_enabled = true;
    security_.api_key = config::Secret("sesame");
    EXPECT_EQ(role("/v1/jobs"), Role::Client);
    EXPECT_EQ(role("/health"), Role::Anybody);
    security_.api_key_skip_health = false;
    EXPECT_EQ(role("/health"), Role::Client);
    EXPECT_EQ(status({{"authorization", "Bearer for admins"}}, "/admin/config"), 0);
    EXPECT_EQ(caller_.role, Role::Admin);
}

TEST_F(GuardTest, AnEmptyConfiguredKeyLetsNobodyIn) {
    security_.api_key_enabled = true;
    EXPECT_EQ(status({{"x-api-key", ""}}), 401);
    EXPECT_EQ(status({{"authorization", "Bearer "}}), 401);
}

TEST_F(GuardTest, AdminNeedsAKeyWhereverItComesFrom) {
    const auto admin = [&](http::Headers headers) { return status(std::move(headers), "/admin/config"); };
    for (const bool configured : {true, false}) {
        admin_ = {config::Secret("kept"), configured};
        EXPECT_EQ(admin({{"x-api-key", "kept"}}), 0);
        EXPECT_EQ(admin({{"authorization", "Bearer kept"}}), 0);
        for (const http::Headers& headers : {http::Headers{},
                                             {{"host", "localhost"}},
                                             {{"x-api-key", "kep"}},
                                             {{"x-api-key", "kept, kept"}}})
            EXPECT_EQ(admin(headers), configured ? 401 : 403);
        EXPECT_EQ(added("WWW-Authenticate"), configured ? "Bearer" : "");
    }
    security_.api_key_enabled = true;
    security_.api_key = config::Secret("sesame");
    EXPECT_EQ(admin({{"x-api-key", "sesame"}}), 403) << "the clients' key";
}

TEST_F(GuardTest, WithoutAnAdminKeyNothingOpensAdmin) {
    admin_ = {{}, false, "the folder is read-only"};
    for (const http::Headers& headers :
         {http::Headers{}, {{"x-api-key", ""}}, {{"authorization", "Bearer "}}})
        EXPECT_EQ(status(headers, "/admin/config"), 403);
    EXPECT_NE(answer_.find("the folder is read-only; set security.admin_key"), std::string::npos) << answer_;
}

// A page's site can have its own name lead here, and is the same origin then.
TEST_F(GuardTest, WithoutAKeyTheHostMustBeOurs) {
    config_.server.hosts = {"stepper", "*.apps.example"};
    for (const char* host : {"localhost:3001", "127.0.0.1", "[::1]:3001", "STEPPER:80", "a.b.apps.example"})
        EXPECT_EQ(status({{"host", host}}), 0) << host;
    for (const char* route : {"/v1/jobs", "/health", "/metrics", "/", ""})
        EXPECT_EQ(status({{"host", "evil.example:3001"}}, route), 403) << route;
    EXPECT_EQ(status({{"host", "apps.example"}}), 403);
    config_.server.hosts = {"*"};
    EXPECT_EQ(status({{"host", "evil.example"}}), 0);
    config_.server.hosts.clear();
    security_.api_key_enabled = true;
    security_.api_key = config::Secret("sesame");
    EXPECT_EQ(status({{"host", "stepper"}, {"x-api-key", "sesame"}}), 0) << "a page has no key";
    EXPECT_EQ(status({{"host", "stepper"}}), 401);
}

// janhq/jan#8131: sandboxed pages, and those that want to stay unknown, send null.
TEST_F(GuardTest, WithoutAKeyNoPageOfAnotherSiteIsServed) {
    const auto from = [&](const char* origin) {
        return status({{"host", "localhost:3001"}, {"origin", origin}});
    };
    for (const char* origin :
         {"http://evil.example", "http://evil.example:3001", "null", "http://localhost:5173",
          "localhost:3001", "http://localhost:3001, http://evil.example", ", http://localhost:3001"})
        EXPECT_EQ(from(origin), 403) << origin;
    EXPECT_EQ(from("http://localhost:3001"), 0);
    EXPECT_EQ(from("https://LOCALHOST:3001"), 0);
    method_ = "OPTIONS";
    EXPECT_EQ(from("http://evil.example"), 403);
    security_.cors.allowed_origins = {"http://localhost:5173"};
    EXPECT_EQ(from("http://localhost:5173"), 0);
    security_.cors.enabled = false;
    EXPECT_EQ(from("http://localhost:5173"), 403);
}

TEST_F(GuardTest, OnlyListedOriginsAreAnswered) {
    security_.cors.allowed_origins = {"https://a.example"};
    security_.api_key_enabled = true;
    security_.api_key = config::Secret("sesame");
    EXPECT_EQ(status({{"x-api-key", "sesame"}, {"origin", "https://a.example"}}), 0);
    EXPECT_EQ(added("Access-Control-Allow-Origin"), "https://a.example");
    EXPECT_EQ(status({{"x-api-key", "sesame"}, {"origin", "https://a.example.evil"}}), 0);
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

// dunglas/mercure#535 (Last-Event-ID), dunglas/mercure#90 and EventSource/eventsource#129 (Cache-Control)
TEST_F(GuardTest, APreflightAllowsWhatClientsSend) {
    security_.cors.allowed_origins = {"https://a.example"};
    method_ = "OPTIONS";
    EXPECT_EQ(status({{"origin", "https://a.example"}, {"access-control-request-method", "GET"}}), 204);
    const auto allowed = ", " + added("Access-Control-Allow-Headers") + ",";
    for (const auto* header :
         {"Authorization", "Cache-Control", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Traceparent",
          "X-Request-Id", "X-Request-Timeout-Ms", "X-Requested-With", "X-Stainless-Timeout", "x-api-key"})
        EXPECT_NE(allowed.find(", " + std::string(header) + ","), std::string::npos) << header << allowed;
    EXPECT_EQ(added("Access-Control-Allow-Methods"), "GET, HEAD, POST, DELETE, OPTIONS");
}

TEST_F(GuardTest, AnswersExposeWhatClientsNeed) {
    security_.cors.allowed_origins = {"https://a.example"};
    status({{"origin", "https://a.example"}});
    const auto exposed = ", " + added("Access-Control-Expose-Headers") + ",";
    for (const auto* header :
         {"Age", "Idempotent-Replayed", "Location", "RateLimit", "Retry-After", "WWW-Authenticate", "X-Cache",
          "X-RateLimit-Remaining", "X-Request-Id", "X-Stepper-Fallback"})
        EXPECT_NE(exposed.find(", " + std::string(header) + ","), std::string::npos) << header;
}

// rs/cors#10, expressjs/cors#106: what is cached for one origin must not answer another.
TEST_F(GuardTest, EveryAnswerVariesByOrigin) {
    security_.cors.allowed_origins = {"https://a.example"};
    security_.api_key_enabled = true;
    for (const http::Headers& headers : {http::Headers{}, http::Headers{{"origin", "https://b.example"}}}) {
        status(headers);
        EXPECT_EQ(added("Vary"), "Origin");
        EXPECT_EQ(added("Access-Control-Allow-Origin"), "");
    }
    security_.cors.enabled = false;
    status({{"origin", "https://a.example"}});
    EXPECT_EQ(added("Vary"), "");
}

TEST_F(GuardTest, CredentialsAreForNamedOriginsOnly) {
    security_.cors.allowed_origins = {"*", "https://a.example"};
    security_.cors.allow_credentials = true;
    for (const auto* origin : {"https://evil.example", "null"}) {
        status({{"origin", origin}});
        EXPECT_EQ(added("Access-Control-Allow-Origin"), "*");
        EXPECT_EQ(added("Access-Control-Allow-Credentials"), "");
    }
    status({{"origin", "https://a.example"}});
    EXPECT_EQ(added("Access-Control-Allow-Origin"), "https://a.example");
    EXPECT_EQ(added("Access-Control-Allow-Credentials"), "true");
}

}  // namespace
}  // namespace stepper::api
