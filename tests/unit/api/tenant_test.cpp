#include "core/api/tenant.h"

#include <set>

#include <gtest/gtest.h>

#include "core/api/generate_request.h"

namespace stepper::api {
namespace {

http::Request with(std::string key) {
    http::Request request;
    if (!key.empty()) request.headers = {{"idempotency-key", std::move(key)}};
    return request;
}

Tenancy of(RequestKind kind, std::string_view body, std::string key = "") {
    return tenancyOf(with(std::move(key)), parseRequest(kind, body).value().request);
}

constexpr auto kReport = R"({"userId":"u","commitSha":"c","repo":"r","message":"m","files":["f"],
                             "components":[],"diffSummary":"d"})";

std::string preset(std::string_view more) {
    return R"({"prompt":{"preset":"commit-report","payload":)" + std::string(kReport) + '}' +
           std::string(more) + '}';
}

TEST(Tenancy, TheUserOfAReportStandsForATenantWhereNoneIsNamed) {
    EXPECT_EQ(of(RequestKind::Generate, R"({"prompt":"x"})").tenant, "");
    EXPECT_EQ(of(RequestKind::Generate, R"({"prompt":"x","tenantId":"t"})").tenant, "t");
    EXPECT_EQ(of(RequestKind::Report, kReport).tenant, "u");
    EXPECT_EQ(of(RequestKind::Generate, preset("")).tenant, "u");
    EXPECT_EQ(of(RequestKind::Generate, preset(R"(,"tenantId":"t")")).tenant, "t");
    EXPECT_EQ(tenancyOf(with(""), "b").tenant, "b");
}

TEST(Tenancy, KeysOfTenantsNeverMeet) {
    EXPECT_EQ(of(RequestKind::Generate, R"({"prompt":"x","tenantId":"t"})").idempotency_key, "");
    std::set<std::string> keys;
    for (const auto& [tenant, key] :
         {std::pair("", "k"), {"t", "k"}, {"t", "1:k"}, {"t1", ":k"}, {"t1:", "k"}})
        keys.insert(tenancyOf(with(key), tenant).idempotency_key);
    EXPECT_EQ(keys.size(), 5u);
    EXPECT_EQ(of(RequestKind::Generate, R"({"prompt":"x","tenantId":"t"})", "k").idempotency_key,
              tenancyOf(with("k"), "t").idempotency_key);
    // Whoever sends reports has its keys for the reports of all users.
    EXPECT_EQ(of(RequestKind::Report, kReport, "k").idempotency_key,
              tenancyOf(with("k"), "").idempotency_key);
}

}  // namespace
}  // namespace stepper::api
