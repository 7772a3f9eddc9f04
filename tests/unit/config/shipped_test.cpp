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
    EXPECT_THAT(names, testing::ElementsAre("gemini", "groq", "cerebras", "mistral", "cohere", "openrouter",
                                            "nvidia-llama", "nvidia-dracarys", "nvidia", "hf-space",
                                            "huggingface", "deepseek", "together", "openai", "anthropic",
                                            "xai", "perplexity", "ollama", "llama-cpp", "vllm"));
}

std::vector<std::string> enabled(const Config& c) {
    std::vector<std::string> out;
    for (const Provider& p : c.providers)
        if (p.enabled) out.push_back(p.name);
    return out;
}

TEST(Shipped, ALaneTakesThePlaceOfItsAccountsModel) {
    const std::pair<Environment, std::vector<std::string>> cases[] = {
        {{{"NVIDIA_ENABLED", "true"}}, {"nvidia"}},
        {{{"NVIDIA_LLAMA_ENABLED", "true"}}, {"nvidia-llama"}},
        {{{"NVIDIA_ENABLED", "true"}, {"NVIDIA_DRACARYS_ENABLED", "true"}}, {"nvidia-dracarys"}},
        {{{"NVIDIA_LLAMA_ENABLED", "true"}, {"NVIDIA_DRACARYS_ENABLED", "true"}},
         {"nvidia-llama", "nvidia-dracarys"}},
        {{{"NVIDIA_LLAMA_ENABLED", "false"}}, {"nvidia"}},
    };
    for (auto [env, names] : cases) {
        env["NVIDIA_API_KEY"] = "key";
        const auto c = shipped(env);
        ASSERT_TRUE(c.ok()) << problemOf(c);
        EXPECT_EQ(enabled(*c), names);
    }
    const auto c = shipped({{"NVIDIA_API_KEY", "key"}, {"NVIDIA_LLAMA_ENABLED", "true"}});
    EXPECT_EQ(find(*c, "nvidia")->disabled_reason, "nvidia-llama is on and takes its place");
}

TEST(Shipped, ALaneGoesByItsAccountsVariablesWhereItHasNone) {
    const auto c = shipped({{"NVIDIA_API_KEY", "key"},
                            {"NVIDIA_LLAMA_ENABLED", "true"},
                            {"NVIDIA_DRACARYS_ENABLED", "true"},
                            {"NVIDIA_BASE_URL", "https://nim.example"},
                            {"NVIDIA_RPM", "7"},
                            {"NVIDIA_CONCURRENCY", "3"},
                            {"NVIDIA_TIMEOUT", "60000"},
                            {"NVIDIA_MODEL", "not/theirs"},
                            {"NVIDIA_DRACARYS_BASE_URL", "https://own.example/v1"},
                            {"NVIDIA_DRACARYS_RPM", "9"},
                            {"NVIDIA_DRACARYS_TIMEOUT", "30000"},
                            {"NVIDIA_DRACARYS_MODEL", "own/model"},
                            {"NVIDIA_DRACARYS_API_KEY", "own-key"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    const Provider &llama = *find(*c, "nvidia-llama"), &dracarys = *find(*c, "nvidia-dracarys");
    EXPECT_EQ(llama.base_url, "https://nim.example/v1");
    EXPECT_EQ(llama.limits.rpm, 7);
    EXPECT_EQ(llama.concurrency, 3);
    EXPECT_EQ(llama.timeout, milliseconds(60'000));
    EXPECT_EQ(llama.model, "meta/llama-3.3-70b-instruct");
    EXPECT_EQ(llama.api_keys.at(0).reveal(), "key");
    EXPECT_EQ(dracarys.base_url, "https://own.example/v1");
    EXPECT_EQ(dracarys.limits.rpm, 9);
    EXPECT_EQ(dracarys.concurrency, 3);
    EXPECT_EQ(dracarys.timeout, milliseconds(30'000));
    EXPECT_EQ(dracarys.model, "own/model");
    EXPECT_EQ(dracarys.api_keys.at(0).reveal(), "own-key");
}

TEST(Shipped, WhoWritesAllOnGetsAll) {
    const auto c = parseProviders(
        "providers: [{ name: nvidia, plugin: p, enabled: true, base_url: http://h },"
        " { name: nvidia-llama, plugin: p, base_url: http://h }]");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(enabled(*c), (std::vector<std::string>{"nvidia", "nvidia-llama"}));
}

TEST(Shipped, LocalServersHaveNoRateLimit) {
    const auto c = shipped({});
    ASSERT_TRUE(c.ok());
    EXPECT_EQ(find(*c, "ollama")->limits.rpm, std::nullopt);
    EXPECT_EQ(find(*c, "gemini")->limits.day_resets_in, "America/Los_Angeles");
}

}  // namespace
}  // namespace stepper::config
