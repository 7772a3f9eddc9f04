// The route table as a whole.
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "core/base/json.h"
#include "tests/unit/api/table.h"

namespace stepper::api {
namespace {

TEST(Routes, TheListHasEachOtherWithWhatItDoes) {
    const Table table;
    const auto page = json::parse(table.routes().back().handler({}).body);
    std::map<std::string, std::string> list;
    for (const auto& member : json::find(*page, "endpoints")->GetObject())
        list.emplace(json::view(member.name), json::view(member.value));
    EXPECT_EQ(list.size(), table.routes().size() - 1);
    for (const auto& [name, about] : list) EXPECT_FALSE(about.empty()) << name;
    for (const char* name : {"POST /v1/generate", "GET /v1/jobs/:jobId/events", "GET /v1/reports/:jobId",
                             "DELETE /admin/plugins/quarantine/:sha256"})
        EXPECT_TRUE(list.contains(name)) << name;
}

// The path decides before the method is looked at, see http::Router::Match.
TEST(Routes, OfOnePathHaveOneRole) {
    const Table table;
    for (const auto& route : table.routes())
        EXPECT_EQ(route.role, table.roleOf(route.pattern)) << route.pattern;
}

TEST(Routes, WhoMayCallThem) {
    const Table table;
    const std::set<std::string> open{"/", "/health", "/livez", "/readyz", "/metrics"};
    for (const auto& [method, pattern, about, body, role, handler] : table.routes()) {
        const auto expected = pattern.starts_with("/admin/") ? http::Role::Admin
                              : open.contains(pattern)       ? http::Role::Anybody
                                                             : http::Role::Client;
        EXPECT_EQ(role, expected) << method << ' ' << pattern;
    }
}

TEST(Routes, OnlyWorkComesInABody) {
    const Table table;
    std::set<std::string> with_body;
    for (const auto& route : table.routes())
        if (route.body == http::Body::Json) with_body.insert(route.pattern);
    EXPECT_EQ(with_body,
              (std::set<std::string>{"/v1/generate", "/v1/generate/batch", "/v1/generate/immediate",
                                     "/v1/reports", "/v1/reports/immediate", "/v1/jobs/retry"}));
}

}  // namespace
}  // namespace stepper::api
