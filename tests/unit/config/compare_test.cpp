// What a reload changes, in words; and what is shown of a configuration.
#include "core/config/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config/effective.h"

namespace stepper::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Config parsed(const std::string& settings, const std::string& providers) {
    auto config = parse({.stepper_yaml = settings, .providers_yaml = providers, .base_dir = {}}, {});
    EXPECT_TRUE(config) << config.error().message;
    return std::move(config).value();
}

Config with(const std::string& providers) { return parsed("{}", "providers: [" + providers + "]"); }

std::string block(const std::string& name, const std::string& more = "") {
    return "{ name: " + name + ", plugin: p, base_url: 'https://x.example', " + more + " }";
}

TEST(Compare, TheSameIsNoDifference) {
    EXPECT_THAT(differences(with(block("a")), with(block("a"))), IsEmpty());
}

TEST(Compare, NamesWhatChangedInAProvider) {
    EXPECT_THAT(differences(with(block("a", "limits: { rpm: 1 }, model: m")),
                            with(block("a", "limits: { rpm: 2, tpm: 7 }, model: n"))),
                ElementsAre("provider a changed: model, limits.rpm, limits.tpm"));
}

TEST(Compare, SecretsDifferWithoutBeingShown) {
    const auto changes = differences(with(block("a", "api_key: one")), with(block("a", "api_key: two")));
    EXPECT_THAT(changes, ElementsAre("provider a changed: api_key"));
}

TEST(Compare, ComingGoingAndOrder) {
    EXPECT_THAT(differences(with(block("a") + "," + block("b") + "," + block("c")),
                            with(block("c") + "," + block("d") + "," + block("a"))),
                ElementsAre("provider b removed", "provider d added", "the order of the providers changed"));
    EXPECT_THAT(differences(with(block("a") + "," + block("b")), with(block("b"))),
                ElementsAre("provider a removed"));
}

TEST(Compare, SettingsByTheirKeys) {
    EXPECT_THAT(
        differences(
            parsed("{}", "providers: []"),
            parsed("{ queue: { max_attempts: 9 }, security: { api_key: k }, plugins: { sha256: { a: " +
                       std::string(64, 'a') + " } } }",
                   "{ plan: fastest-first, providers: [] }")),
        ElementsAre("plugins.sha256.a changed", "queue.max_attempts changed",
                    "security.api_key_enabled changed", "security.api_key changed", "plan changed"));
}

TEST(KeepFixed, ReturnsTheKeysAndTheRunningValues) {
    const auto running =
        parsed("{ server: { listen: '127.0.0.1:1' }, store: { url: 'memory:' } }", "providers: []");
    auto next = parsed(
        "{ server: { listen: '127.0.0.2:2', drain_timeout: 1s, keep_alive: 5m }, queue: { workers: 7, "
        "max_attempts: 9 } }",
        "providers: []");
    EXPECT_THAT(keepFixed(next, running),
                ElementsAre("server.listen", "server.keep_alive", "store.url", "queue.workers"));
    EXPECT_EQ(next.server.host, "127.0.0.1");
    EXPECT_EQ(next.server.port, 1);
    EXPECT_EQ(next.store_url, "memory:");
    EXPECT_EQ(next.queue.workers, running.queue.workers);
    EXPECT_EQ(next.queue.max_attempts, 9);
    EXPECT_EQ(next.server.drain_timeout, milliseconds{1'000});
    EXPECT_THAT(keepFixed(next, running), IsEmpty());
}

TEST(Effective, ShowsNoSecret) {
    const auto config = parsed(
        "{ store: { url: 'redis://user:hush@db:6379/0' }, security: { api_key: hush1, admin_key: hush2 }, "
        "webhooks: { secret: hush3 } }",
        "providers: [" + block("a", "api_key: hush4, isolation: process") + "]");
    const auto shown = effective(config, Secrets::Masked);
    EXPECT_THAT(json::dump(shown), Not(HasSubstr("hush")));
    EXPECT_EQ(json::string(*json::find(shown, "store"), "url"), "redis://********@db:6379/0");
    EXPECT_EQ(json::string(*json::at(shown, "/providers/0"), "api_key"), "********");
    EXPECT_EQ(json::string(*json::at(shown, "/providers/0"), "isolation"), "process");
    EXPECT_EQ(json::string(*json::find(shown, "webhooks"), "secret"), "********");
    EXPECT_EQ(json::string(*json::find(effective(parsed("{}", "providers: []"), Secrets::Masked), "webhooks"),
                           "secret"),
              "");
}

TEST(Effective, ShowsAProxyWithoutItsPassword) {
    const auto config =
        parsed("{}", "providers: [" + block("a", "proxy: 'http://user:hush@[2001:db8::1]:3128'") + ", " +
                         block("b", "proxy: none") + ", " + block("c") + "]");
    const auto shown = effective(config, Secrets::Masked);
    EXPECT_EQ(json::string(*json::at(shown, "/providers/0"), "proxy"), "http://********@[2001:db8::1]:3128");
    EXPECT_EQ(json::string(*json::at(shown, "/providers/1"), "proxy"), "none");
    EXPECT_FALSE(json::at(shown, "/providers/2/proxy"));
    EXPECT_THAT(json::dump(effective(config, Secrets::Digested)), Not(HasSubstr("hush")));
}

TEST(Effective, ShowsOptionsWithoutWhatTheEnvironmentOrASecretsNameHides) {
    const std::string options =
        "options: { headers: { X-Api-Key: hush1, X-Plain: seen }, auth_tokens: [hush2, { deep: hush3 }], "
        "url: 'https://x/${PART}', max_tokens_field: 5, empty: '${NONE:-}' }";
    const auto config = parse(
        {.stepper_yaml = "{}", .providers_yaml = "providers: [" + block("a", options) + "]", .base_dir = {}},
        {{"PART", "hush4"}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_THAT(config->providers[0].options_json, HasSubstr("https://x/hush4"));
    const auto shown = effective(*config, Secrets::Masked);
    EXPECT_EQ(json::dump(*json::at(shown, "/providers/0/options")),
              R"({"headers":{"X-Api-Key":"********","X-Plain":"seen"},)"
              R"("auth_tokens":["********",{"deep":"********"}],"url":"https://x/${PART}",)"
              R"("max_tokens_field":5,"empty":"${NONE:-}"})");
}

// The names and formats are those that redaction knows.
TEST(Effective, ShowsNoSecretThatItsFormGivesAway) {
    const std::string options =
        "options: { DB_PASS: hush1, passphrase: hush2, headers: { X-Custom: Bearer hush3hush4hush5hush6 }, "
        "proxy: 'http://me:hush6@proxy', note: 'npm_" +
        std::string(36, 'h') + "', author: seen }";
    const auto shown = effective(parsed("{}", "providers: [" + block("a", options) + "]"), Secrets::Masked);
    EXPECT_EQ(
        json::dump(*json::at(shown, "/providers/0/options")),
        R"({"DB_PASS":"********","passphrase":"********",)"
        R"("headers":{"X-Custom":"Bearer [REDACTED:bearer-token]"},)"
        R"("proxy":"http://me:[REDACTED:url-password]@proxy","note":"[REDACTED:npm-token]","author":"seen"})");
}

TEST(Compare, OptionsDifferByWhatTheyStandFor) {
    const auto at = [](const std::string& value) {
        return *parse({.stepper_yaml = "{}",
                       .providers_yaml = "providers: [" + block("a", "options: { x: '${X}' }") + "]",
                       .base_dir = {}},
                      {{"X", value}});
    };
    EXPECT_THAT(differences(at("1"), at("2")), ElementsAre("provider a changed: options.x"));
    EXPECT_THAT(differences(at("1"), at("1")), IsEmpty());
}

}  // namespace
}  // namespace stepper::config
