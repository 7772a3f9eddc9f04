#include "core/http/router.h"

#include <gtest/gtest.h>

#include "core/http/target.h"

namespace stepper::http {
namespace {

Route route(std::string method, std::string pattern, Role role = Role::Client) {
    return {std::move(method), std::move(pattern), "", Body::None, role, {}};
}

struct Case {
    std::string_view method, path;
    std::string_view pattern;  // "" for an unknown path
    bool served;
    std::string_view allow;
};

TEST(Router, Table) {
    const Router router({route("GET", "/"), route("GET", "/v1/reports/{id}"), route("POST", "/v1/reports"),
                         route("DELETE", "/v1/reports"), route("POST", "/v1/reports/immediate"),
                         route("GET", "/v1/jobs/{id}/items/{n}")});
    const Case cases[] = {
        {"GET", "/", "/", true, "GET, HEAD, OPTIONS"},
        {"HEAD", "/", "/", true, "GET, HEAD, OPTIONS"},
        {"POST", "/", "/", false, "GET, HEAD, OPTIONS"},
        {"OPTIONS", "/", "/", false, "GET, HEAD, OPTIONS"},
        {"POST", "/v1/reports", "/v1/reports", true, "POST, DELETE, OPTIONS"},
        {"POST", "/v1/reports/", "/v1/reports", true, "POST, DELETE, OPTIONS"},
        {"DELETE", "/v1/reports?userId=1", "/v1/reports", true, "POST, DELETE, OPTIONS"},
        {"GET", "/v1/reports", "/v1/reports", false, "POST, DELETE, OPTIONS"},
        {"GET", "/v1/reports/7", "/v1/reports/{id}", true, "GET, HEAD, OPTIONS"},
        {"POST", "/v1/reports/immediate", "/v1/reports/immediate", true, "POST, GET, HEAD, OPTIONS"},
        {"GET", "/v1/reports/immediate", "/v1/reports/{id}", true, "POST, GET, HEAD, OPTIONS"},
        {"GET", "/v1/jobs/a/items/b", "/v1/jobs/{id}/items/{n}", true, "GET, HEAD, OPTIONS"},
        {"GET", "/v1/jobs//items/b", "", false, ""},
        {"GET", "/v1/jobs/a/items", "", false, ""},
        {"GET", "/V1/reports/7", "", false, ""},
        {"GET", "/v1//reports/7", "", false, ""},
        {"GET", "//", "", false, ""},
        {"GET", "/v1/reports/x/../7", "", false, ""},
    };
    for (const auto& c : cases) {
        const auto match = router.find(c.method, parseTarget(c.path)->segments);
        EXPECT_EQ(match.pattern, c.pattern) << c.method << ' ' << c.path;
        EXPECT_EQ(match.route != nullptr, c.served) << c.method << ' ' << c.path;
        EXPECT_EQ(match.allow, c.allow) << c.method << ' ' << c.path;
    }
}

// Also where no route has the method, so that what a path wants does not hang on that.
TEST(Router, APathHasARole) {
    const Router router({route("GET", "/", Role::Anybody), route("GET", "/a", Role::Admin),
                         route("GET", "/{x}"), route("DELETE", "/{x}", Role::Admin)});
    const auto roleOf = [&](std::string_view method, std::string_view path) {
        return router.find(method, parseTarget(path)->segments).role;
    };
    EXPECT_EQ(roleOf("HEAD", "/"), Role::Anybody);
    EXPECT_EQ(roleOf("POST", "/"), Role::Anybody);
    EXPECT_EQ(roleOf("OPTIONS", "/a/"), Role::Admin);
    EXPECT_EQ(roleOf("POST", "/a"), Role::Admin);
    EXPECT_EQ(roleOf("GET", "/b"), Role::Client);
    EXPECT_EQ(roleOf("DELETE", "/b"), Role::Admin);
    EXPECT_EQ(roleOf("GET", "/a/b"), Role::Client);
}

TEST(Router, ParamsAreDecodedSegments) {
    const Router router({route("GET", "/v1/jobs/{id}/items/{n}")});
    const auto match = router.find("GET", parseTarget("/v1/jobs/a%2Fb/items/..")->segments);
    const std::vector<std::pair<std::string, std::string>> want{{"id", "a/b"}, {"n", ".."}};
    EXPECT_EQ(match.params, want);
}

}  // namespace
}  // namespace stepper::http
