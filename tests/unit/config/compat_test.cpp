// config/compat.yaml, held against what ai-inference-stepper 1.1.0 has when nothing is set.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/config/effective.h"
#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

const std::filesystem::path kConfig = CONFIG_FOLDER;

// What is in force under "a.b.c", as JSON; a number is a place in a list.
std::string valueAt(const json::Value& tree, std::string_view path) {
    const size_t dot = path.find('.');
    const std::string key(path.substr(0, dot));
    const json::Value* child = nullptr;
    if (tree.IsArray())
        child = &tree[static_cast<rapidjson::SizeType>(std::stoul(key))];
    else
        child = json::find(tree, key);
    if (!child) return "(nothing)";
    return dot == std::string_view::npos ? json::dump(*child) : valueAt(*child, path.substr(dot + 1));
}

struct Row {
    const char *path, *there,
        *ours;  // ours: of config/stepper.yaml; the same where Stepper has not changed it
};

// In the order of that service's configuration; durations in milliseconds.
const Row kRows[] = {
    {"fallback.enabled", "true", "true"},
    {"store.key_prefix", "\"stepper\"", "\"stepper\""},
    {"cache.ttl", "172800000", "3600000"},
    {"cache.fresh_for", "86400000", "2700000"},
    {"cache.stale_while_revalidate", "true", "true"},
    {"queue.workers", "5", "64"},
    {"queue.max_attempts", "5", "5"},
    {"batch.max_running", "2", "4"},
    {"batch.max_items", "100", "100"},
    {"batch.max_concurrency", "5", "5"},
    {"webhooks.enabled", "true", "true"},
    {"webhooks.secret", "\"\"", "\"\""},
    {"webhooks.max_retries", "3", "3"},
    {"webhooks.retry_delay", "5000", "5000"},
    {"providers.0.retry.attempts", "3", "2"},
    {"providers.0.retry.base", "40000", "250"},
    {"providers.0.breaker.min_calls", "5", "10"},
    {"providers.0.breaker.consecutive", "5", "5"},
    {"providers.0.breaker.failure_rate", "0.5", "0.5"},
    {"providers.0.breaker.window", "300000", "60000"},
    {"providers.0.breaker.open_for", "300000", "15000"},
    {"providers.0.breaker.max_open_for", "300000", "300000"},
    {"providers.0.breaker.probes", "1", "2"},
    {"providers.0.concurrency", "2", "2"},
    {"providers.0.temperature", "0.3", "(nothing)"},
    {"security.redact", "true", "true"},
    {"security.cors.enabled", "true", "true"},
    {"security.cors.allowed_origins", "[\"*\"]", "[]"},
    {"security.cors.allow_credentials", "false", "false"},
    {"security.rate_limit.enabled", "true", "false"},
    {"security.rate_limit.window", "900000", "900000"},
    {"security.rate_limit.max_requests", "100", "100"},
    {"security.rate_limit.max_per_user", "50", "50"},
    {"security.rate_limit.skip_health", "true", "true"},
    {"security.security_headers", "true", "true"},
    {"security.api_key_enabled", "false", "false"},
    {"security.api_key_header", "\"x-api-key\"", "\"x-api-key\""},
    {"security.api_key_skip_health", "true", "true"},
    {"security.trust_proxy", "false", "false"},
    {"server.max_body", "10485760", "10485760"},
    {"server.port", "3001", "3001"},
    {"server.host", "\"0.0.0.0\"", "\"127.0.0.1\""},
    {"server.hosts", "[\"*\"]", "[]"},
};

TEST(Compat, EachValueIsTheServicesOwn) {
    const Environment env = {{"GEMINI_API_KEY", "key-of-the-test"}, {"GEMINI_ENABLED", "true"}};
    const auto compat = load(kConfig / "compat.yaml", env), ours = load(kConfig / "stepper.yaml", env);
    ASSERT_TRUE(compat.ok()) << problemOf(compat);
    EXPECT_THAT(compat->warnings, testing::IsEmpty());
    const auto there = effective(*compat, Secrets::Digested), here = effective(*ours, Secrets::Digested);
    for (const Row& row : kRows) {
        EXPECT_EQ(valueAt(there, row.path), row.there) << row.path;
        EXPECT_EQ(valueAt(here, row.path), row.ours) << row.path;
    }
}

TEST(Compat, AKeyAloneDoesNotPutAProviderOn) {
    const auto c = load(kConfig / "compat.yaml",
                        {{"GEMINI_API_KEY", "k"}, {"GROQ_API_KEY", "k"}, {"GROQ_ENABLED", "true"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    for (const auto& p : c->providers) EXPECT_EQ(p.enabled, p.name == "groq") << p.name;
}

TEST(Compat, TheEnvironmentGoesBeforeIt) {
    const auto c = load(kConfig / "compat.yaml", {{"CACHE_TTL_SECONDS", "60"},
                                                  {"CACHE_STALE_THRESHOLD", "30"},
                                                  {"CORS_ALLOWED_ORIGINS", "https://a.example"},
                                                  {"HOST", "127.0.0.1"},
                                                  {"RETRY_BASE_DELAY_MS", "100"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->cache.ttl, milliseconds(60'000));
    EXPECT_EQ(c->security.cors.allowed_origins, std::vector<std::string>{"https://a.example"});
    EXPECT_EQ(c->server.host, "127.0.0.1");
    EXPECT_EQ(c->providers[0].retry.base, milliseconds(100));
}

TEST(ProviderDefaults, GoBeforeThoseOfTheProvidersAndAfterABlock) {
    const auto c = parseBoth(
        "provider_defaults: { concurrency: 3, timeout: 9s, retry: { attempts: 5 }, limits: { rpm: null } }",
        "defaults: { concurrency: 7, idle_timeout: 4s, retry: { attempts: 2, base: 1s }, limits: { rpm: 5 } "
        "}\n"
        "providers: [{ name: one, plugin: p, timeout: 8s }]");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    const Provider& p = c->providers[0];
    EXPECT_EQ(p.concurrency, 3);
    EXPECT_EQ(p.timeout, milliseconds(8'000));
    EXPECT_EQ(p.idle_timeout, milliseconds(4'000));
    EXPECT_EQ(p.retry.attempts, 5);
    EXPECT_EQ(p.retry.base, milliseconds(1'000));
    EXPECT_EQ(p.limits.rpm, std::nullopt);
}

TEST(ProviderDefaults, AreReadAsThoseOfTheProviders) {
    const std::pair<const char*, const char*> cases[] = {
        {"provider_defaults: { concurency: 3 }",
         "stepper.yaml:1:22: provider_defaults.concurency: unknown key; did you mean \"concurrency\"?"},
        {"provider_defaults: { retry: { attempts: x } }",
         "stepper.yaml:1:41: provider_defaults.retry.attempts: expected a whole number from 1 to 20, not "
         "\"x\""},
        {"provider_defaults: 5",
         "stepper.yaml:1:20: provider_defaults: expected a mapping of keys to values, not \"5\""}};
    for (const auto& [text, problem] : cases)
        EXPECT_EQ(problemOf(parseBoth(text, "providers: [{ name: one, plugin: p }]")), problem);
}

TEST(ProviderDefaults, MayBeEmptyAndSwitchOff) {
    const std::string off =
        "providers: [{ name: one, plugin: p, base_url: http://h }, { name: two, plugin: p, base_url: "
        "http://h, enabled: true }]";
    const auto none = parseBoth("provider_defaults:\n", off),
               both = parseBoth("{}", "defaults: { enabled: false }\n" + off);
    ASSERT_TRUE(none.ok()) << problemOf(none);
    EXPECT_TRUE(none->providers[0].enabled);
    ASSERT_TRUE(both.ok()) << problemOf(both);
    EXPECT_FALSE(both->providers[0].enabled);
    EXPECT_EQ(both->providers[0].disabled_reason,
              "switched off (providers.yaml:1:22); set ONE_ENABLED=true to switch it on");
    EXPECT_TRUE(both->providers[1].enabled);
}

}  // namespace
}  // namespace stepper::config
