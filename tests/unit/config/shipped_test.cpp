// The files of config/, as built into the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/config/defaults.h"
#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using testing::MatchesRegex;

Result<Config> shipped(const Environment& env) {
    return parseBoth(std::string(defaultStepperYaml()), std::string(defaultProvidersYaml()), env);
}

const Provider* find(const Config& c, std::string_view name) {
    for (const Provider& p : c.providers)
        if (p.name == name) return &p;
    return nullptr;
}

TEST(Shipped, LoadsWithNothingSet) {
    const auto c = shipped({});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_GE(c->providers.size(), 18u);
    for (const Provider& p : c->providers) {
        EXPECT_FALSE(p.enabled) << p.name;
        EXPECT_THAT(
            p.disabled_reason,
            MatchesRegex("no API key: set [A-Z_]+_(API_KEY|TOKEN)|no base_url: set [A-Z_]+|switched off.*"));
        EXPECT_TRUE(json::parse(p.options_json).ok()) << p.name;
    }
    EXPECT_EQ(c->warnings.size(), 1u);
}

TEST(Shipped, WhatIsWithoutUseIsNotRead) {
    const auto c = shipped({{"API_URL", "1x"}, {"WEBHOOK_SECRET", "s"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->webhooks.api_url, "");
    EXPECT_TRUE(c->webhooks.secret.empty());
}

TEST(Shipped, SettingsAreTheBuiltInValues) {
    const auto c = shipped({});
    const auto bare = parseSettings("{}");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->server.host, bare->server.host);
    EXPECT_EQ(c->server.port, bare->server.port);
    EXPECT_EQ(c->server.max_body, bare->server.max_body);
    EXPECT_EQ(c->server.body_memory, bare->server.body_memory);
    EXPECT_EQ(c->store_url, bare->store_url);
    EXPECT_EQ(c->cache.ttl, bare->cache.ttl);
    EXPECT_EQ(c->cache.fresh_for, bare->cache.fresh_for);
    EXPECT_EQ(c->queue.workers, bare->queue.workers);
    EXPECT_EQ(c->security.rate_limit.window, bare->security.rate_limit.window);
    EXPECT_EQ(c->webhooks.retry_delay, bare->webhooks.retry_delay);
    EXPECT_EQ(c->log.format, bare->log.format);
}

TEST(Shipped, TheVariableOfTheReasonSwitchesAProviderOn) {
    const auto off = shipped({});
    ASSERT_TRUE(off.ok());
    for (const Provider& p : off->providers) {
        Environment env;
        const std::string& reason = p.disabled_reason;
        if (const size_t set = reason.find(": set "); set != std::string::npos)
            env[reason.substr(set + 6)] = reason.starts_with("no base_url") ? "https://me-x.hf.space" : "key";
        else
            env[reason.substr(reason.find("; set ") + 6, reason.find('=') - reason.find("; set ") - 6)] =
                "true";
        const auto on = shipped(env);
        ASSERT_TRUE(on.ok()) << p.name << ": " << problemOf(on);
        EXPECT_TRUE(find(*on, p.name)->enabled) << p.name << ": " << reason;
    }
}

TEST(Shipped, TheOrderStartsWithFreeTiers) {
    const auto c = shipped({});
    ASSERT_TRUE(c.ok());
    std::vector<std::string> names;
    for (const Provider& p : c->providers) names.push_back(p.name);
    EXPECT_THAT(
        names, testing::ElementsAre("gemini", "groq", "cerebras", "mistral", "cohere", "openrouter", "nvidia",
                                    "hf-space", "huggingface", "deepseek", "together", "openai", "anthropic",
                                    "xai", "perplexity", "ollama", "llama-cpp", "vllm"));
}

TEST(Shipped, LocalServersHaveNoRateLimit) {
    const auto c = shipped({});
    ASSERT_TRUE(c.ok());
    EXPECT_EQ(find(*c, "ollama")->limits.rpm, std::nullopt);
    EXPECT_EQ(find(*c, "gemini")->limits.day_resets_in, "America/Los_Angeles");
}

}  // namespace
}  // namespace stepper::config
