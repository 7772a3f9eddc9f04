#include "stepper/kit/retry_after.hpp"

#include <gtest/gtest.h>

namespace stepper::kit {
namespace {

constexpr int64_t kNov21 = 1'795'255'200'000;  // 2026-11-21T10:00:00Z

struct Vector {
    const char* text;
    int64_t ms;
};

TEST(DurationMs, ReadsTheWholeGrammar) {
    const Vector vectors[] = {
        {"1s", 1'000},
        {"6m0s", 360'000},
        {"2m59.56s", 179'560},
        {"7.66s", 7'660},
        {"12ms", 12},
        {"120ms", 120},
        {"1h2m3s", 3'723'000},
        {"9m38.016s", 578'016},
        {"34s", 34'000},
        {"0:09:48", 588'000},
        {"2", 2'000},
        {" 60s ", 60'000},
        {"5m", 300'000},
        {"0", 0},
        {"0.5", 500},
        {"19.424395716s", 19'425},
        {"1d2h", kMaxDelayMs},
        {"52758s", 52'758'000},
        {"33011.382867", 33'011'383},
        {"99999s", kMaxDelayMs},
        {"1.5m", 90'000},
    };
    for (const Vector& v : vectors) EXPECT_EQ(durationMs(v.text), v.ms) << v.text;
}

TEST(DurationMs, RefusesTheRest) {
    for (const char* text : {"-1",  "",    "abc", " ",    "1x",  "s",       "3s2m",  "1s1s",
                             "1e3", "inf", "nan", "0x10", "1:2", "1:2:3:4", "1:b:3", "9999999999999s",
                             "--",  "+3",  "1 s", "s5"})
        EXPECT_EQ(durationMs(text), kNoDelay) << text;
}

TEST(EpochMs, ReadsEveryDateForm) {
    EXPECT_EQ(epochMs("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777'000);
    EXPECT_EQ(epochMs("Sunday, 06-Nov-94 08:49:37 GMT"), 784'111'777'000);
    EXPECT_EQ(epochMs("Sun Nov  6 08:49:37 1994"), 784'111'777'000);
    EXPECT_EQ(epochMs("2026-11-21T10:00:00Z"), kNov21);
    EXPECT_EQ(epochMs("2026-11-21T10:00:00.250Z"), kNov21 + 250);
    EXPECT_EQ(epochMs("2026-11-21T12:00:00+02:00"), kNov21);
    EXPECT_EQ(epochMs("2026-11-21T08:30:00-01:30"), kNov21);
}

TEST(EpochMs, RefusesWhatIsNoDate) {
    for (const char* text :
         {"", "tomorrow", "Sun, 31 Feb 2026 00:00:00 GMT", "Sun, 06 Nxv 1994 08:49:37 GMT",
          "2026-13-01T00:00:00Z", "2026-11-21", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 99:49:37 GMT"})
        EXPECT_EQ(epochMs(text), kNoDelay) << text;
}

TEST(DelayMs, CountsDatesAndEpochsFromTheResponse) {
    EXPECT_EQ(delayMs("Sat, 21 Nov 2026 10:00:30 GMT", kNov21), 30'000);
    EXPECT_EQ(delayMs("2026-11-21T10:15:30Z", kNov21), 930'000);
    EXPECT_EQ(delayMs("1795255260", kNov21), 60'000);
    EXPECT_EQ(delayMs("1795255260000", kNov21), 60'000);
    EXPECT_EQ(delayMs("Sat, 21 Nov 2026 09:59:00 GMT", kNov21), 0);
    EXPECT_EQ(delayMs("2026-11-30T00:00:00Z", kNov21), kMaxDelayMs);
    EXPECT_EQ(delayMs("2126-11-30T00:00:00Z", kNov21), kNoDelay);
    EXPECT_EQ(delayMs("Sat, 21 Nov 2026 10:00:30 GMT", -1), kNoDelay);
}

TEST(DelayInText, FindsProse) {
    const Vector vectors[] = {
        {"Please try again in 7.66s. Visit https://x", 7'660},
        {"Please try again in 9m38.016s.", 578'016},
        {"TPM: Limit 200000. Please try again in 810ms. Visit", 810},
        {"Please retry in 34.074824224s.", 34'075},
        {"You have exceeded your GPU quota. Try again in 0:14:53", 893'000},
        {"retry in 0:09:48", 588'000},
        {"Your quota will reset after 27s.", 27'000},
        {"try again in 20 seconds", 20'000},
        {"Try again in 5 minutes", 300'000},
        {"try again in a while, or retry in 3s", 3'000},
        {"please wait and try again later", kNoDelay},
        {"try again in -5s", kNoDelay},
        {"try again in ", kNoDelay},
        {"please try again after 1 seconds", 1'000},
        {"Please retry after 7 seconds.", 7'000},
        {"Please wait 35790 seconds before retrying.", 35'790'000},
        {"Weekly usage limit reached. Resets in 6hr 29min.", 23'340'000},
        {"retry in 1 hour, 2 minutes and 3 secs", 3'723'000},
        {"try again in 2 minutes 30", 120'000},
        {"retry in 250 ms", 250},
        {"retry in 9s or try again in 20s", 20'000},
        {"try again in 2 weeks", kMaxDelayMs},
        {"not available in 3 models", kNoDelay},
        {"retry after 5 attempts", kNoDelay},
        {"resets in a while", kNoDelay},
        {"", kNoDelay},
    };
    for (const Vector& v : vectors) EXPECT_EQ(delayInText(v.text), v.ms) << v.text;
}

TEST(DelayInText, CountsMomentsFromTheResponse) {
    const Vector vectors[] = {
        {"You will regain access on 2026-11-22 at 00:00 UTC.", 50'400'000},
        {"You will regain access on 2026-12-01 at 00:00 UTC.", kMaxDelayMs},
        {"Limit reached; resets at 2026-11-21T11:00:00Z", 3'600'000},
        {"Your limit will reset at 2026-11-21 22:04:41", kNoDelay},  // in whose time?
        {"resets at 2026-11-20T00:00:00Z", kNoDelay},
        {"resets at noon", kNoDelay},
        {"regain access on 2026-13-01 at 00:00 UTC", kNoDelay},
    };
    for (const Vector& v : vectors) EXPECT_EQ(delayInText(v.text, kNov21), v.ms) << v.text;
    EXPECT_EQ(delayInText("resets at 2026-11-21T11:00:00Z"), kNoDelay);
}

const std::string kDate = "Sat, 21 Nov 2026 10:00:00 GMT";

TEST(StatedDelay, IsTheLongestOfWhatIsSaid) {
    const Document body = parse(R"({"error":{"details":[{"@type":"x/google.rpc.Help"},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}})");
    EXPECT_EQ(statedDelayMs({{"retry-after", "2.5"}}, body, ""), 34'000);
    EXPECT_EQ(statedDelayMs({{"date", kDate}, {"retry-after", "Sat, 21 Nov 2026 10:01:00 GMT"}}, body, ""),
              60'000);
    EXPECT_EQ(statedDelayMs({}, body, "Please retry in 34.9s."), 34'900);
    EXPECT_EQ(statedDelayMs({}, body, "Please retry in 9s"), 34'000);
    EXPECT_EQ(statedDelayMs({}, Value(), "Please retry in 9s"), 9'000);
    EXPECT_EQ(statedDelayMs({}, parse(R"({"error":"Model is currently loading","estimated_time":20.0})"), ""),
              20'000);
    EXPECT_EQ(statedDelayMs({}, parse(R"({"error":{"resets_in_seconds":90}})"), ""), 90'000);
    EXPECT_EQ(statedDelayMs({}, parse(R"({"error":{"metadata":{"retry_after_ms":1500}}})"), ""), 1'500);
    EXPECT_EQ(statedDelayMs({}, parse(R"({"retry_after":-1,"retryAfter":"soon"})"), ""), kNoDelay);
    EXPECT_EQ(statedDelayMs({}, Value(), ""), kNoDelay);
}

TEST(StatedDelay, TakesTheExactOfTwoHeadersUnlessItIsNothing) {
    const auto stated = [](const char* ms, const char* seconds) {
        return statedDelayMs({{"retry-after-ms", ms}, {"retry-after", seconds}}, Value(), "");
    };
    EXPECT_EQ(stated("1500.5", "2"), 1'501);
    EXPECT_EQ(stated("810", "1"), 810);
    EXPECT_EQ(stated("0", "1"), 1'000);
    EXPECT_EQ(stated("810", "30"), 810);
    EXPECT_EQ(stated("30000", "1"), 30'000);
    EXPECT_EQ(stated("-1", "1"), 1'000);
    EXPECT_EQ(stated("2000", "2"), 2'000);
    EXPECT_EQ(stated("0", "0"), 0);
    EXPECT_EQ(statedDelayMs({{"x-ms-retry-after-ms", "250"}, {"retry-after", "1"}}, Value(), ""), 250);
}

TEST(StatedDelay, LooksIntoGooglesArray) {
    const Document body = parse(R"([{"error":{"details":[
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}])");
    EXPECT_EQ(statedDelayMs({}, body, "Please retry in 9s"), 34'000);
    EXPECT_EQ(statedDelayMs({}, parse(R"([{"error":"loading","estimated_time":2}])"), ""), 2'000);
    for (const char* empty : {"[]", "[[]]", "[null]", "[3]", "null"})
        EXPECT_EQ(statedDelayMs({}, parse(empty), ""), kNoDelay) << empty;
}

TEST(StatedDelay, IgnoresHeadersThatSayNothing) {
    for (const char* value : {"-1", "", "soon", "5 bananas", "NaN", "99999999999999999999"})
        EXPECT_EQ(statedDelayMs({{"retry-after-ms", value}, {"retry-after", value}}, Value(), "retry in 3s"),
                  3'000)
            << value;
    EXPECT_EQ(statedDelayMs({{"retry-after", "0"}}, Value(), ""), 0);
    EXPECT_EQ(statedDelayMs({{"retry-after", "5m"}}, Value(), ""), 300'000);
}

TEST(ResetDelay, CountsOnlyWhatIsUsedUp) {
    const Headers openai = {{"x-ratelimit-remaining-requests", "0"},
                            {"x-ratelimit-reset-requests", "2m59.56s"},
                            {"x-ratelimit-remaining-tokens", "120"},
                            {"x-ratelimit-reset-tokens", "6h"}};
    EXPECT_EQ(resetDelayMs(openai, Value()), 179'560);
    const Headers anthropic = {{"date", kDate},
                               {"anthropic-ratelimit-requests-remaining", "3"},
                               {"anthropic-ratelimit-requests-reset", "2026-11-21T11:00:00Z"},
                               {"anthropic-ratelimit-input-tokens-remaining", "0"},
                               {"anthropic-ratelimit-input-tokens-reset", "2026-11-21T10:00:42Z"}};
    EXPECT_EQ(resetDelayMs(anthropic, Value()), 42'000);
    EXPECT_EQ(resetDelayMs({{"date", kDate}, {"x-ratelimit-reset", "1795255210"}}, Value()), 10'000);
    EXPECT_EQ(resetDelayMs(
                  {{"x-ratelimit-remaining-requests-day", "0"}, {"x-ratelimit-reset-requests-day", "3301.5"}},
                  Value()),
              3'301'500);
    EXPECT_EQ(resetDelayMs({{"x-ratelimit-reset-requests", "5s"}}, Value()), kNoDelay);
    EXPECT_EQ(
        resetDelayMs({{"x-ratelimit-remaining-tokens", "-1"}, {"x-ratelimit-reset-tokens", "0"}}, Value()),
        kNoDelay);
}

TEST(ResetDelay, IsInMillisecondsWhereItWouldOutlastItsPeriod) {
    const auto reset = [](const char* value, Headers more) {
        more.insert(more.end(),
                    {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", value}});
        return resetDelayMs(more, Value());
    };
    const Headers minute = {{"x-ratelimit-renewalperiod-requests", "60"}};
    EXPECT_EQ(reset("500", minute), 500);
    EXPECT_EQ(reset("59000", minute), 59'000);
    EXPECT_EQ(reset("60", minute), 60'000);
    EXPECT_EQ(reset("60.5", minute), 60'500);
    EXPECT_EQ(reset("500ms", minute), 500);
    EXPECT_EQ(reset("5m", minute), 300'000);
    EXPECT_EQ(reset("500", {}), 500'000);
    EXPECT_EQ(reset("500", {{"x-ratelimit-renewalperiod-tokens", "60"}}), 500'000);
    EXPECT_EQ(resetDelayMs({{"x-ratelimit-remaining-tokens-minute", "0"},
                            {"x-ratelimit-reset-tokens-minute", "41000"}},
                           Value()),
              41'000);
    EXPECT_EQ(resetDelayMs({{"date", kDate},
                            {"x-ratelimit-remaining-requests", "0"},
                            {"x-ratelimit-reset-requests", "1795255210"},
                            {"x-ratelimit-renewalperiod-requests", "60"}},
                           Value()),
              10'000);
}

TEST(ResetDelay, ReadsHeadersRepeatedInTheBody) {
    const Document body = parse(R"({"error":{"metadata":{"headers":{"X-RateLimit-Limit":"50",
        "X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1795255500000"}}}})");
    EXPECT_EQ(resetDelayMs({{"date", kDate}}, body), 300'000);
    EXPECT_EQ(resetDelayMs({{"date", kDate}}, parse("[" + dump(body) + "]")), 300'000);
}

}  // namespace
}  // namespace stepper::kit
