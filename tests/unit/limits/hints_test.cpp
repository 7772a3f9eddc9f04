#include "core/limits/hints.h"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stepper::limits {

void PrintTo(const Allowance& a, std::ostream* out) {
    const auto number = [](auto n) { return n ? std::to_string(*n) : "?"; };
    const auto time = [](auto t) { return t ? std::to_string(t->count()) + "ms" : "?"; };
    *out << number(a.remaining) << " of " << number(a.limit)
         << (a.unit == Unit::Requests ? " requests" : " tokens") << " per " << time(a.per) << ", reset in "
         << time(a.reset_in);
}

namespace {

using namespace std::chrono_literals;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr WallTime kTen = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 10h;  // 1795255200
const std::pair<std::string, std::string> kDate = {"date", "Sat, 21 Nov 2026 10:00:00 GMT"};
constexpr Unit R = Unit::Requests, T = Unit::Tokens;

struct Case {
    const char* provider;
    Headers headers;
    std::vector<Allowance> said;
};

void expect(std::initializer_list<Case> cases) {
    for (const Case& c : cases)
        EXPECT_THAT(allowancesIn(c.headers, kTen), testing::ElementsAreArray(c.said)) << c.provider;
}

TEST(Allowances, OfEveryProvider) {
    expect({
        {"OpenAI",
         {{"x-ratelimit-limit-requests", "5000"},
          {"x-ratelimit-limit-tokens", "160000"},
          {"x-ratelimit-remaining-requests", "4999"},
          {"x-ratelimit-remaining-tokens", "159976"},
          {"x-ratelimit-reset-requests", "12ms"},
          {"x-ratelimit-reset-tokens", "9ms"},
          {"x-ratelimit-limit-tokens_usage_based", "1"}},
         {{R, 1min, 5000, 4999, 12ms}, {T, 1min, 160'000, 159'976, 9ms}}},
        {"OpenAI, by the day",
         {{"x-ratelimit-limit-requests", "200"},
          {"x-ratelimit-remaining-requests", "199"},
          {"x-ratelimit-reset-requests", "7m12s"}},
         {{R, 24h, 200, 199, 432s}}},
        {"Groq: requests by the day, tokens by the minute",
         {{"retry-after", "2"},
          {"x-ratelimit-limit-requests", "14400"},
          {"x-ratelimit-limit-tokens", "18000"},
          {"x-ratelimit-remaining-requests", "14370"},
          {"x-ratelimit-remaining-tokens", "15702"},
          {"x-ratelimit-reset-requests", "2m59.56s"},
          {"x-ratelimit-reset-tokens", "7.66s"}},
         {{R, 24h, 14'400, 14'370, 179'560ms}, {T, 1min, 18'000, 15'702, 7'660ms}}},
        {"Numbers that tell no window",
         {{"x-ratelimit-limit-requests", "100"},
          {"x-ratelimit-remaining-requests", "99"},
          {"x-ratelimit-reset-requests", "20s"},
          {"x-ratelimit-limit-tokens", "100"},
          {"x-ratelimit-remaining-tokens", "100"},
          {"x-ratelimit-reset-tokens", "60s"}},
         {{R, {}, 100, 99, 20s}, {T, {}, 100, 100, 60s}}},
        {"Azure: a reset longer than its period is in milliseconds",
         {{"x-ratelimit-reset-requests", "500"},
          {"x-ratelimit-limit-requests", "120"},
          {"x-ratelimit-remaining-requests", "119"},
          {"x-ratelimit-renewalperiod-requests", "60"},
          {"x-ratelimit-limit-tokens", "120000"},
          {"x-ratelimit-remaining-tokens", "119990"},
          {"x-ratelimit-reset-tokens", "45"},
          {"x-ratelimit-renewalperiod-tokens", "60"}},
         {{R, 1min, 120, 119, 500ms}, {T, 1min, 120'000, 119'990, 45s}}},
        {"A period that is no number, and one in the name",
         {{"x-ratelimit-limit-requests", "120"},
          {"x-ratelimit-reset-requests", "500"},
          {"x-ratelimit-renewalperiod-requests", "often"},
          {"x-ratelimit-limit-tokens-minute", "60000"},
          {"x-ratelimit-reset-tokens-minute", "41000"}},
         {{R, {}, 120, {}, 500s}, {T, 1min, 60'000, {}, 41s}}},
        {"Cerebras",
         {{"x-ratelimit-limit-requests-day", "14400"},
          {"x-ratelimit-limit-tokens-minute", "60000"},
          {"x-ratelimit-remaining-requests-day", "14399"},
          {"x-ratelimit-remaining-tokens-minute", "59900"},
          {"x-ratelimit-reset-requests-day", "33011.382867"},
          {"x-ratelimit-reset-tokens-minute", "11.382867"}},
         {{R, 24h, 14'400, 14'399, 33'011'383ms}, {T, 1min, 60'000, 59'900, 11'383ms}}},
        {"Anthropic: the tightest of three on tokens, by what remains",
         {kDate,
          {"anthropic-ratelimit-requests-limit", "50"},
          {"anthropic-ratelimit-requests-remaining", "49"},
          {"anthropic-ratelimit-requests-reset", "2026-11-21T10:00:01Z"},
          {"anthropic-ratelimit-tokens-limit", "60000"},
          {"anthropic-ratelimit-tokens-remaining", "59000"},
          {"anthropic-ratelimit-tokens-reset", "2026-11-21T10:00:02Z"},
          {"anthropic-ratelimit-input-tokens-limit", "50000"},
          {"anthropic-ratelimit-input-tokens-remaining", "1000"},
          {"anthropic-ratelimit-input-tokens-reset", "2026-11-21T10:00:59Z"},
          {"anthropic-ratelimit-output-tokens-limit", "10000"},
          {"anthropic-ratelimit-output-tokens-remaining", "9000"},
          {"anthropic-ratelimit-output-tokens-reset", "2026-11-21T10:00:06Z"},
          {"anthropic-ratelimit-unified-5h-remaining", "0"},
          {"anthropic-organization-id", "x"}},
         {{R, 1min, 50, 49, 1s}, {T, 1min, 50'000, 1'000, 59s}}},
        {"Anthropic: or by the limit where as much remains",
         {{"anthropic-ratelimit-input-tokens-limit", "50000"},
          {"anthropic-ratelimit-output-tokens-limit", "10000"}},
         {{T, 1min, 10'000, {}, {}}}},
        {"OpenRouter: epoch milliseconds",
         {kDate,
          {"x-ratelimit-limit", "50"},
          {"x-ratelimit-remaining", "0"},
          {"x-ratelimit-reset", "1795262400000"}},
         {{R, {}, 50, 0, 2h}}},
        {"Cohere: epoch seconds",
         {kDate,
          {"x-ratelimit-limit", "20"},
          {"x-ratelimit-remaining", "3"},
          {"x-ratelimit-reset", "1795255212"}},
         {{R, {}, 20, 3, 12s}}},
        {"Together: plain seconds",
         {{"x-ratelimit-limit", "10"}, {"x-ratelimit-remaining", "9"}, {"x-ratelimit-reset", "1"}},
         {{R, {}, 10, 9, 1s}}},
        {"Mistral",
         {{"x-ratelimit-limit-req-minute", "60"},
          {"x-ratelimit-remaining-req-minute", "59"},
          {"x-ratelimit-limit-tokens-5-minute", "500000"},
          {"x-ratelimit-remaining-tokens-5-minute", "499000"},
          {"x-ratelimitbysize-limit-month", "1000000000"},
          {"x-ratelimitbysize-remaining-month", "999999"},
          {"ratelimitbysize-limit", "500000"},
          {"ratelimitbysize-remaining", "499968"},
          {"ratelimitbysize-reset", "58"},
          {"ratelimitbysize-query-cost", "32"}},
         {{R, 1min, 60, 59, {}},
          {T, 5min, 500'000, 499'000, {}},
          {T, 720h, 1'000'000'000, 999'999, {}},
          {T, {}, 500'000, 499'968, 58s}}},
        {"RateLimit, three headers",
         {{"ratelimit-limit", "100"}, {"ratelimit-remaining", "50"}, {"ratelimit-reset", "30"}},
         {{R, {}, 100, 50, 30s}}},
        {"RateLimit, three headers with the policies behind the limit",
         {{"ratelimit-remaining", "50"},
          {"ratelimit-limit", "100, 10;w=1, 100;w=60, 1000;w=3600"},
          {"ratelimit-reset", "30"}},
         {{R, 1min, 100, 50, 30s}}},
        {"RateLimit, three headers and a policy",
         {{"ratelimit-policy", "100;w=60"},
          {"ratelimit-limit", "100"},
          {"ratelimit-remaining", "50"},
          {"ratelimit-reset", "30"}},
         {{R, 1min, 100, 50, 30s}}},
        {"RateLimit policies are not those of other headers",
         {{"ratelimit-policy", "100;w=60"}, {"x-ratelimit-limit", "100"}},
         {{R, {}, 100, {}, {}}}},
        {"RateLimit, structured",
         {{"ratelimit-policy", R"("burst";q=100;w=60,"a;r=7,b"; q=1000; w=86400, "tokens";q=5000;w=60)"},
          {"ratelimit", R"("burst";r=50;t=30, "a;r=7,b";r=999 , "tokens"; r=0;t=7)"}},
         {{R, 1min, 100, 50, 30s}, {R, 24h, 1000, 999, {}}, {T, 1min, 5000, 0, 7s}}},
        {"RateLimit, structured without a policy",
         {{"ratelimit", R"("default";r=50;t=30;pk=:dXNlcjE=:)"}},
         {{R, {}, {}, 50, 30s}}},
        {"Nothing said", {kDate, {"content-type", "text/plain"}}, {}},
    });
}

TEST(Allowances, MomentsAreRelativeToTheAnswer) {
    const Headers headers = {{"x-ratelimit-remaining", "0"},
                             {"x-ratelimit-reset", "2026-11-21T10:00:30.0005Z"},
                             {"date", " Sat, 21 Nov 2026 09:59:50 GMT"}};
    const auto said = allowancesIn(headers, kTen + 100h);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].reset_in, 40'001ms);
    for (const char* no_date : {"", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"}) {
        const auto by_our_clock = allowancesIn({headers[0], headers[1], {"date", no_date}}, kTen);
        ASSERT_EQ(by_our_clock.size(), 1u);
        EXPECT_EQ(by_our_clock[0].reset_in, 30'001ms);
    }
}

TEST(Allowances, ResetsThatAreOverAreNow) {
    for (const char* past : {"2026-11-21T09:59:59Z", "Sat, 21 Nov 2026 09:00:00 GMT", "1795255199",
                             "1795255199000", "1000000000", "0", "0s", "0ms"}) {
        const auto said = allowancesIn({{"x-ratelimit-remaining", "1"}, {"x-ratelimit-reset", past}}, kTen);
        ASSERT_EQ(said.size(), 1u);
        EXPECT_EQ(said[0].reset_in, 0ms) << past;
    }
}

TEST(Allowances, EveryFormOfReset) {
    const std::pair<const char*, milliseconds> cases[] = {{"1s", 1s},
                                                          {"6m0s", 6min},
                                                          {"8.64s", 8'640ms},
                                                          {"120ms", 120ms},
                                                          {"1h2m3.5s", 3'723'500ms},
                                                          {"34", 34s},
                                                          {" 2 ", 2s},
                                                          {"0.0001", 1ms},
                                                          {"999999999", milliseconds::min()},
                                                          {"34560000", 9600h},
                                                          {"34560001", milliseconds::min()},
                                                          {"1795255201.5", 1'500ms},
                                                          {"Sat, 21 Nov 2026 10:01:00 GMT", 1min},
                                                          {"2026-11-21T12:00:30+02:00", 30s}};
    for (const auto& [text, wait] : cases) {
        const auto said = allowancesIn({{"ratelimit-remaining", "1"}, {"ratelimit-reset", text}}, kTen);
        ASSERT_EQ(said.size(), 1u);
        EXPECT_EQ(said[0].reset_in.value_or(milliseconds::min()), wait) << text;
    }
}

TEST(Allowances, AbsurdValuesAreIgnored) {
    const std::string too_long(257, '0');
    for (const std::string& value : std::initializer_list<std::string>{"",
                                                                       " ",
                                                                       "-1",
                                                                       "-0",
                                                                       "+5",
                                                                       "NaN",
                                                                       "nan",
                                                                       "inf",
                                                                       "Infinity",
                                                                       "1e3",
                                                                       "0x10",
                                                                       "ten",
                                                                       "5 apples",
                                                                       "1 2",
                                                                       "1000000000001",
                                                                       "1000000000000000000",
                                                                       "99999999999999999999999999",
                                                                       ".5",
                                                                       "1.2.3",
                                                                       "\xFF",
                                                                       std::string("5\0", 2),
                                                                       too_long + "5"}) {
        EXPECT_THAT(allowancesIn({{"x-ratelimit-limit", value}, {"x-ratelimit-remaining", value}}, kTen),
                    testing::IsEmpty())
            << value;
        EXPECT_THAT(allowancesIn({{"ratelimit", "\"a\";r=" + value + ";t=1"},
                                  {"ratelimit-policy", "\"a\";w=1;q=" + value}},
                                 kTen),
                    testing::IsEmpty())
            << value;
    }
    for (const std::string& value : std::initializer_list<std::string>{
             "", "-1", "-1s", "NaN", "nans", "inf", "1e9s", "soon", "1000000000000000000",
             "99999999999999999999", "9999999999999", "99999h", "9601h", "9999-12-31T23:59:59Z",
             "2199-12-31T23:59:59Z", too_long + "5"}) {
        EXPECT_THAT(allowancesIn({{"x-ratelimit-remaining", "1"}, {"x-ratelimit-reset", value}}, kTen),
                    testing::ElementsAre(Allowance{R, {}, {}, 1, {}}))
            << value;
    }
    expect({
        {"no limit can be 0",
         {{"x-ratelimit-limit", "0"}, {"x-ratelimit-remaining", "0"}},
         {{R, {}, {}, 0, {}}}},
        {"the most", {{"x-ratelimit-limit", "1000000000000"}}, {{R, {}, 1'000'000'000'000, {}, {}}}},
        {"fractions", {{"x-ratelimit-remaining", "49.9"}}, {{R, {}, {}, 49, {}}}},
        {"as long as may be", {{"x-ratelimit-limit", std::string(255, '0') + "5"}}, {{R, {}, 5, {}, {}}}},
        {"a reset alone says nothing", {{"x-ratelimit-reset", "30"}}, {}},
        {"windows",
         {{"ratelimit", "\"a\";r=1;t=-1"}, {"ratelimit-policy", "\"a\";q=1;w=0"}},
         {{R, {}, 1, 1, {}}}},
        {"windows",
         {{"ratelimit", "\"a\";r=1"}, {"ratelimit-policy", "\"a\";q=1;w=1e18"}},
         {{R, {}, 1, 1, {}}}},
        {"windows",
         {{"ratelimit", "\"a\";r=1"}, {"ratelimit-policy", "\"a\";q=1;w=99999999999"}},
         {{R, {}, 1, 1, {}}}},
    });
}

TEST(Allowances, NamesThatSayNothingWeKnowAreIgnored) {
    for (const char* name : {"x-ratelimit",
                             "x-ratelimit-",
                             "-ratelimit-limit",
                             "x-x-ratelimit-limit",
                             "x-ratelimit-limit-limit",
                             "x-ratelimit-limit-remaining",
                             "x-ratelimit-used",
                             "x-ratelimit-limit-images",
                             "x-ratelimits-limit",
                             "x-ratelimit-limit-requests-61-minute",
                             "x-ratelimit-limit-requests-0-minute",
                             "x-ratelimit-limit-requests-14-month",
                             "limit",
                             "remaining",
                             "x-limit",
                             "x-ratelimit-limit-ratelimitbysize",
                             "anthropic-priority-input-tokens-limit",
                             "",
                             "-",
                             "ratelimit"})
        EXPECT_THAT(allowancesIn({{name, "5"}}, kTen), testing::IsEmpty()) << name;
}

TEST(Allowances, OfAHeaderThatComesTwiceTheFirstCounts) {
    expect({{"twice",
             {{"x-ratelimit-limit", "-1"},
              {"x-ratelimit-limit", "10"},
              {"x-ratelimit-limit", "20"},
              {"x-ratelimit-remaining", "1"},
              {"x-ratelimit-remaining", "2"},
              {"x-ratelimit-reset", "3"},
              {"x-ratelimit-reset", "4"}},
             {{R, {}, 10, 1, 3s}}}});
}

TEST(Allowances, FloodsAreBounded) {
    Headers headers;
    for (int n = 1; n <= 60; ++n)
        headers.emplace_back("x-ratelimit-limit-requests-" + std::to_string(n) + "-minute", "5");
    for (int n = 0; n < 1'000; ++n) headers.emplace_back("ratelimit", "a;r=1,b;r=1,c;r=1,d;r=1");
    EXPECT_EQ(allowancesIn(headers, kTen).size(), 32u);
    headers = {{"ratelimit", std::string(256, ',')}, {"ratelimit-policy", std::string(256, '"')}};
    EXPECT_THAT(allowancesIn(headers, kTen), testing::IsEmpty());
}

}  // namespace
}  // namespace stepper::limits
