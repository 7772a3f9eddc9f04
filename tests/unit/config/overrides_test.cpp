#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/config/effective.h"
#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kProvider = R"(
providers:
  - { name: hf-space, plugin: p, base_url: http://old, model: old, api_key: old, timeout: 1s, concurrency: 1,
      limits: { rps: 1, rpm: 1 }, retry: { attempts: 1 }, breaker: { consecutive: 1 } }
)";

struct OverrideCase {
    const char* variable;
    const char* value;
    std::function<bool(const Config&)> holds;
};

const Provider& first(const Config& c) { return c.providers.front(); }

TEST(Overrides, EachReachesItsField) {
    const OverrideCase cases[] = {
        {"PORT", "8080", [](auto& c) { return c.server.port == 8080 && c.server.host == "0.0.0.0"; }},
        {"HOST", "127.0.0.2", [](auto& c) { return c.server.host == "127.0.0.2"; }},
        {"HOST", "::", [](auto& c) { return c.server.host == "::"; }},
        {"HOST", "[::1]", [](auto& c) { return c.server.host == "::1"; }},
        {"HOST", "LocalHost", [](auto& c) { return lower(c.server.host) == "localhost"; }},
        {"HOST", "localhost.localdomain", [](auto& c) { return c.server.host == "0.0.0.0"; }},
        {"HOST", "box.localhost", [](auto& c) { return c.server.host == "0.0.0.0"; }},
        {"PORT", "0", [](auto& c) { return c.server.port == 0; }},
        {"STEPPER_HOSTS", "Stepper., *.apps.example",
         [](auto& c) {
             return c.server.hosts == std::vector<std::string>{"stepper", "*.apps.example"};
         }},
        {"REDIS_URL", "sqlite:a$b.db", [](auto& c) { return c.store_url.ends_with("a$b.db"); }},
        {"REDIS_URL", "redis://u:p$w@h:6379", [](auto& c) { return !c.store_url.starts_with("redis"); }},
        {"REDIS_URL", " rediss://h", [](auto& c) { return !c.store_url.starts_with("redis"); }},
        {"REDIS_KEY_PREFIX", "shop:", [](auto& c) { return c.store_key_prefix == "shop"; }},
        {"REDIS_KEY_PREFIX", "a:b::", [](auto& c) { return c.store_key_prefix == "a:b"; }},
        {"REDIS_KEY_PREFIX", "shop", [](auto& c) { return c.store_key_prefix == "shop"; }},
        {"QUEUE_CONCURRENCY", "5", [](auto& c) { return c.queue.workers == 5; }},
        {"BATCH_MAX_ITEMS", "10", [](auto& c) { return c.batch.max_items == 10; }},
        {"BATCH_QUEUE_CONCURRENCY", "2", [](auto& c) { return c.batch.max_running == 2; }},
        {"BATCH_MAX_CONCURRENCY", "9", [](auto& c) { return c.batch.max_concurrency == 9; }},
        {"CACHE_TTL_SECONDS", "604800", [](auto& c) { return c.cache.ttl == 168h; }},
        {"CACHE_STALE_THRESHOLD", "60", [](auto& c) { return c.cache.fresh_for == 1min; }},
        {"CACHE_STALE_WHILE_REVALIDATE", "false", [](auto& c) { return !c.cache.stale_while_revalidate; }},
        {"FALLBACK_ENABLED", "false", [](auto& c) { return !c.fallback_enabled; }},
        {"REDACT_BEFORE_SEND", "false", [](auto& c) { return !c.security.redact; }},
        {"CORS_ENABLED", "0", [](auto& c) { return !c.security.cors.enabled; }},
        {"CORS_ALLOWED_ORIGINS", "https://a, https://b,",
         [](auto& c) {
             return c.security.cors.allowed_origins == std::vector<std::string>{"https://a", "https://b"};
         }},
        {"CORS_ALLOW_CREDENTIALS", "true", [](auto& c) { return c.security.cors.allow_credentials; }},
        {"HELMET_ENABLED", "false", [](auto& c) { return !c.security.security_headers; }},
        {"API_KEY_ENABLED", "false", [](auto& c) { return !c.security.api_key_enabled; }},
        {"API_KEY_HEADER", "x-k", [](auto& c) { return c.security.api_key_header == "x-k"; }},
        {"API_KEY_SKIP_HEALTH", "false", [](auto& c) { return !c.security.api_key_skip_health; }},
        {"STEPPER_API_KEY", "new",
         [](auto& c) { return c.security.api_key.reveal() == "new" && c.security.api_key_enabled; }},
        {"TRUST_PROXY", "1", [](auto& c) { return c.security.trust_proxy.hops() == 1; }},
        {"TRUST_PROXY", "2", [](auto& c) { return c.security.trust_proxy.hops() == 2; }},
        {"TRUST_PROXY", "false", [](auto& c) { return c.security.trust_proxy == TrustedProxies(); }},
        {"TRUST_PROXY", "loopback, 10.0.0.0/8",
         [](auto& c) {
             return c.security.trust_proxy.words() == std::vector<std::string>{"loopback", "10.0.0.0/8"};
         }},
        {"LOG_LEVEL", "debug", [](auto& c) { return c.log.level == "debug"; }},
        {"LOG_LEVEL", "fatal", [](auto& c) { return c.log.level == "error"; }},
        {"LOG_LEVEL", "Silent", [](auto& c) { return c.log.level == "off"; }},
        {"RETRY_MAX_ATTEMPTS", "3", [](auto& c) { return first(c).retry.attempts == 3; }},
        {"RETRY_BASE_DELAY_MS", "5000",
         [](auto& c) { return first(c).retry.base == 5s && first(c).retry.cap == 5s; }},
        {"CIRCUIT_FAILURE_THRESHOLD", "4",
         [](auto& c) { return first(c).breaker.consecutive == 4 && first(c).breaker.min_calls == 4; }},
        {"CIRCUIT_WINDOW_SECONDS", "300", [](auto& c) { return first(c).breaker.window == 5min; }},
        {"CIRCUIT_COOLDOWN_SECONDS", "600",
         [](auto& c) {
             return first(c).breaker.open_for == 10min && first(c).breaker.max_open_for == 10min;
         }},
        {"HF_SPACE_ENABLED", "false", [](auto& c) { return !first(c).enabled; }},
        {"HF_SPACE_API_KEY", "a$b", [](auto& c) { return first(c).api_keys.at(0).reveal() == "a$b"; }},
        {"HF_SPACE_BASE_URL", "https://new", [](auto& c) { return first(c).base_url == "https://new"; }},
        {"HF_SPACE_MODEL", "new", [](auto& c) { return first(c).model == "new"; }},
        {"HF_SPACE_TIMEOUT", "30000", [](auto& c) { return first(c).timeout == 30s; }},
        {"HF_SPACE_TIMEOUT", "30s", [](auto& c) { return first(c).timeout == 30s; }},
        {"HF_SPACE_RPS", "0.5", [](auto& c) { return first(c).limits.rps == 0.5; }},
        {"HF_SPACE_RPM", "11", [](auto& c) { return first(c).limits.rpm == 11; }},
        {"HF_SPACE_CONCURRENCY", "12", [](auto& c) { return first(c).concurrency == 12; }},
    };
    for (const OverrideCase& k : cases) {
        const auto c = parseBoth("server: { port: 1, listen: 0.0.0.0:3001 }\nsecurity: { api_key: old }\n",
                                 kProvider, {{k.variable, k.value}});
        ASSERT_TRUE(c.ok()) << k.variable << ": " << problemOf(c);
        EXPECT_TRUE(k.holds(*c)) << k.variable;
    }
}

TEST(Overrides, AMalformedOneNamesTheVariable) {
    const std::tuple<const char*, const char*, const char*> cases[] = {
        {"PORT", "eighty", "server.port: expected a whole number from 0 to 65535, not \"eighty\""},
        {"PORT", "65536", "server.port: expected a whole number from 0 to 65535, not \"65536\""},
        {"HOST", "0.0.0.0:3001",
         "server.host: expected a name or an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::, not "
         "\"0.0.0.0:3001\""},
        {"LOG_LEVEL", "loud",
         "log.level: expected one of trace, debug, info, warn, error, off, fatal, silent, not \"loud\""},
        {"TRUST_PROXY", "nginx",
         "security.trust_proxy: expected true, false, how many proxies stand in front, or their addresses "
         "and "
         "networks such as 10.0.0.0/8, loopback, linklocal and uniquelocal with commas between, not "
         "\"nginx\""},
        {"REDACT_BEFORE_SEND", "maybe", "security.redact: expected true or false, not \"maybe\""},
        {"HF_SPACE_RPM", "0",
         "providers[0].limits.rpm: expected a whole number from 1 to 1000000000000, not \"0\""},
        {"HF_SPACE_TIMEOUT", "-1",
         "providers[0].timeout: expected a duration from 1ms to 1d, such as 500ms, 30s or "
         "1h30m, not \"-1\""},
        {"RETRY_MAX_ATTEMPTS", "x",
         "providers[0].retry.attempts: expected a whole number from 1 to 20, not \"x\""},
        {"REDIS_URL", "http://u:secret@h", "store.url: expected sqlite:PATH or memory:"},
        {"HF_SPACE_API_KEY", "a\nsecret",
         "providers[0].api_key: holds a line break or another control character"},
        {"API_KEY_ENABLED", "true",
         "security.api_key_enabled: is on, but there is no key; set STEPPER_API_KEY or security.api_key"},
    };
    for (const auto& [variable, value, problem] : cases)
        EXPECT_EQ(problemOf(parseBoth("{}", kProvider, {{variable, value}})),
                  std::string("environment variable ") + variable + ": " + problem);
}

TEST(Overrides, TrustInEverybodyIsWarnedOf) {
    for (const auto& [value, warns] :
         {std::pair("true", true), {"1", false}, {"false", false}, {"loopback", false}}) {
        const auto c = parseBoth("{}", kProvider, {{"TRUST_PROXY", value}});
        ASSERT_TRUE(c.ok()) << problemOf(c);
        EXPECT_EQ(c->warnings.size(), warns ? 1u : 0u) << value;
    }
}

TEST(Overrides, AnEmptyVariableIsAsIfUnset) {
    const auto c = parseBoth("{}", kProvider, {{"PORT", ""}, {"HF_SPACE_MODEL", " "}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->server.port, 3001);
    EXPECT_EQ(c->providers[0].model, "old");
}

TEST(Overrides, AServiceWideNameIsNotAProviders) {
    const auto c = parseProviders("providers: [{ name: cors, plugin: p, base_url: http://h }]",
                                  {{"CORS_ENABLED", "false"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_TRUE(c->providers[0].enabled);
    EXPECT_FALSE(c->security.cors.enabled);
}

TEST(Overrides, NorIsAServiceWideNameWithoutUse) {
    const auto c = parseProviders("providers: [{ name: webhook, plugin: p, base_url: http://h }]",
                                  {{"WEBHOOK_ENABLED", "false"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_TRUE(c->providers[0].enabled);
}

TEST(Overrides, WhatIsWithoutUseIsNotRead) {
    Environment env;
    for (const char* variable :
         {"RATE_LIMIT_ENABLED", "RATE_LIMIT_WINDOW_MS", "RATE_LIMIT_MAX_REQUESTS", "RATE_LIMIT_MAX_PER_USER",
          "RATE_LIMIT_SKIP_HEALTH", "WEBHOOK_ENABLED", "WEBHOOK_SECRET", "WEBHOOK_MAX_RETRIES",
          "WEBHOOK_RETRY_DELAY_MS", "API_URL", "CALLBACK_ALLOWED_ORIGINS"})
        env[variable] = "1x";
    const auto c = parseBoth("{}", kProvider, env);
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->warnings.size(), env.size());
    const auto bare = parseBoth("{}", kProvider);
    ASSERT_TRUE(bare.ok()) << problemOf(bare);
    EXPECT_EQ(json::dump(effective(*c, Secrets::Digested)), json::dump(effective(*bare, Secrets::Digested)));
}

TEST(Overrides, OnlyTheNamedProviderChanges) {
    const auto c = parseProviders("providers: [{ name: a, plugin: p }, { name: a-b, plugin: p }]",
                                  {{"A_MODEL", "x"}, {"A_B_MODEL", "y"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->providers[0].model, "x");
    EXPECT_EQ(c->providers[1].model, "y");
}

std::string limitsOf(const Config& c) {
    const auto& l = first(c).limits;
    return (l.rps ? "rps " + std::to_string(static_cast<int>(*l.rps)) : "") +
           (l.rpm ? " rpm " + std::to_string(*l.rpm) : "");
}

TEST(Overrides, RequestsASecondTakeThePlaceOfThoseAMinute) {
    const std::string defaults =
        "defaults: { limits: { rpm: 5 } }\nproviders: [{ name: one, plugin: p, limits: ";
    const std::tuple<const char*, Environment, const char*> cases[] = {
        {"{}", {{"ONE_RPS", "7"}}, "rps 7"},
        {"{ rpm: 30 }", {{"ONE_RPS", "7"}}, "rps 7"},
        {"{ rps: 1, rpm: 30 }", {{"ONE_RPS", "7"}}, "rps 7"},
        {"{ rpm: 30 }", {{"ONE_RPS", "7"}, {"ONE_RPM", "60"}}, "rps 7 rpm 60"},
        {"{ rps: 1 }", {{"ONE_RPM", "60"}}, "rps 1 rpm 60"},
        {"{ rpm: 30 }", {{"ONE_RPS", " "}}, " rpm 30"},
        {"{ rpm: 30 }", {{"ONE_TWO_RPS", "7"}}, " rpm 30"},
    };
    for (const auto& [limits, env, expected] : cases) {
        const auto c = parseProviders(defaults + limits + " }]", env);
        ASSERT_TRUE(c.ok()) << problemOf(c);
        EXPECT_EQ(limitsOf(*c), expected) << limits;
    }
}

TEST(Overrides, ALongerCallMayBeSilentLonger) {
    struct Row {
        const char *keys, *timeout;
        milliseconds whole, first_byte, idle;
    };
    const Row rows[] = {
        {"", "120000", 2min, 2min, 2min},
        {"", "9000", 9s, 15s, 30s},
        {"    timeout: 5m\n", "120000", 2min, 2min, 2min},
        {"    first_byte_timeout: 20s\n", "120000", 2min, 20s, 2min},
        {"    idle_timeout: 1s\n", "120000", 2min, 2min, 1s},
        {"    idle_timeout: null\n", "120000", 2min, 2min, 2min},
        {"    timeout: 2m\n", "", 2min, 15s, 30s},
    };
    for (const auto& r : rows) {
        const auto c = parseProviders(
            "defaults: { first_byte_timeout: 15s, idle_timeout: 30s }\nproviders:\n  - name: one\n    "
            "plugin: p\n" +
                std::string(r.keys),
            {{"ONE_TIMEOUT", r.timeout}});
        ASSERT_TRUE(c.ok()) << problemOf(c);
        EXPECT_EQ(first(*c).timeout, r.whole) << r.keys << r.timeout;
        EXPECT_EQ(first(*c).first_byte_timeout, r.first_byte) << r.keys << r.timeout;
        EXPECT_EQ(first(*c).idle_timeout, r.idle) << r.keys << r.timeout;
    }
}

TEST(Overrides, OpenRouterIsToldWhoCalls) {
    const std::string block =
        "providers: [{ name: openrouter, plugin: openai-compatible, base_url: http://h/v1, options: ";
    const Environment env = {{"OPENROUTER_REFERER", "https://shop.example"}, {"OPENROUTER_TITLE", "2024"}};
    const auto c =
        parseProviders(block + "{ json_mode: object, extra_headers: { X-Title: old, X-Own: o } } }]", env);
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(
        first(*c).options_json,
        R"({"json_mode":"object","extra_headers":{"X-Title":"2024","X-Own":"o","HTTP-Referer":"https://shop.example"}})");
    const auto bare = parseProviders(block + "{} }]");
    EXPECT_EQ(first(*bare).options_json, "{}");
    const auto other = parseProviders(
        "providers: [{ name: openrouter, plugin: http-template, options: {} }, { name: one, plugin: "
        "openai-compatible }]",
        {{"OPENROUTER_TITLE", "t"}, {"ONE_TITLE", "t"}});
    ASSERT_TRUE(other.ok()) << problemOf(other);
    EXPECT_EQ(other->providers[0].options_json, "{}");
    EXPECT_EQ(other->providers[1].options_json, "{}");
}

TEST(Overrides, NamesWithoutUseAreMentioned) {
    const auto c =
        parseBoth("{}", kProvider,
                  {{"QUEUE_NAME", "q"}, {"DISCORD_WEBHOOK_URL", ""}, {"BATCH_QUEUE_CONCURRENCY", "2"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_THAT(
        c->warnings,
        ElementsAre(
            "environment variable QUEUE_NAME is set but has no effect in Stepper: a store has one queue"));
}

TEST(Overrides, TheProcessEnvironmentIsReadable) {
    ASSERT_EQ(setenv("STEPPER_CONFIG_TEST", "a=b", 1), 0);
    EXPECT_EQ(processEnvironment()["STEPPER_CONFIG_TEST"], "a=b");
    unsetenv("STEPPER_CONFIG_TEST");
}

}  // namespace
}  // namespace stepper::config
