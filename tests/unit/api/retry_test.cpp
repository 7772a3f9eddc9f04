#include "core/api/retry.h"

#include <gtest/gtest.h>

namespace stepper::api {
namespace {

using namespace std::chrono_literals;
using store::JobState;

const WallTime kNow = *parseTime("2026-11-21T12:00:00Z");

std::string refusal(std::string_view body) {
    const auto parsed = parseRetry(body, kNow);
    return parsed ? "accepted" : parsed.error().message;
}
RetryRequest taken(std::string_view body) {
    EXPECT_EQ(refusal(body), "accepted");
    return parseRetry(body, kNow).value();
}

TEST(ParseRetry, SaysWhichJobs) {
    const auto all = taken(R"({"state":"fallback","since":"2h","tenantId":"t","limit":7})");
    EXPECT_EQ(all.filter.states, std::vector{JobState::Substituted});
    EXPECT_EQ(all.filter.within, milliseconds{2h});
    EXPECT_EQ(all.filter.tenant, "t");
    EXPECT_EQ(all.filter.limit, 7);
    EXPECT_EQ(taken(R"({"since":"2026-11-21T12:30:00+01:00"})").filter.within, milliseconds{30min});
    const auto before = taken(R"({"until":"2026-11-21T11:59:00Z"})");
    EXPECT_EQ(before.filter.not_within, milliseconds{1min});
    EXPECT_EQ(before.until, kNow - 1min);
    EXPECT_EQ(all.until, kNow);
    EXPECT_EQ(taken(R"({"tenantId":""})").filter.states, std::vector{JobState::Failed});
    EXPECT_EQ(taken(R"({"limit":1})").filter.tenant, std::nullopt);
    EXPECT_EQ(taken(R"({"ids":["a","b"]})").ids, (std::vector<std::string>{"a", "b"}));
}

TEST(ParseRetry, RefusesWhatItDoesNotUnderstand) {
    constexpr auto kSince =
        "Invalid since: expected how long ago, such as '2h', or a moment that has passed, such as "
        "'2026-11-21T07:12:22Z'";
    const std::pair<const char*, const char*> cases[] = {
        {"{}", "Say which jobs: ids, or any of state, since, until, tenantId and limit"},
        {"[]", "Request body must be an object"},
        {R"({"state":"failed","tennantId":"t"})",
         "Invalid tennantId: unknown member; did you mean 'tenantId'?"},
        {R"({"state":"completed"})", "Invalid state: expected 'failed', 'fallback', or 'cancelled'"},
        {R"({"state":null})", "Invalid state: expected 'failed', 'fallback', or 'cancelled'"},
        {R"({"since":7200})", kSince},
        {R"({"since":"yesterday"})", kSince},
        {R"({"since":"2026-11-21T12:00:00"})", kSince},
        {R"({"since":"2026-11-21T12:00:01Z"})", kSince},
        {R"({"tenantId":1})", "Invalid tenantId: expected a string"},
        {R"({"limit":0})", "Invalid limit: expected 1 to 1000"},
        {R"({"limit":1001})", "Invalid limit: expected 1 to 1000"},
        {R"({"ids":[]})", "Invalid ids: expected an array of 1 to 1000 ids of jobs"},
        {R"({"ids":["a",1]})", "Invalid ids: expected an array of 1 to 1000 ids of jobs"},
        {R"({"ids":["a"],"state":"failed"})", "Invalid ids: name jobs, or say which they are; not both"},
    };
    for (const auto& [body, words] : cases) EXPECT_EQ(refusal(body), words) << body;
}

}  // namespace
}  // namespace stepper::api
