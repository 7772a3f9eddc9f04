#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Settings, EverythingLeftOutHasItsDefault) {
    const auto c = parseSettings("{}");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->server.host, "127.0.0.1");
    EXPECT_EQ(c->server.port, 3001);
    EXPECT_EQ(c->server.keep_alive, 75s) << "above the 60 s of most balancers";
    EXPECT_EQ(c->store_url, "sqlite:/etc/stepper/var/stepper.db");
    EXPECT_EQ(c->cache.fresh_for, 45min);
    EXPECT_TRUE(c->plugins_dir.empty());
    EXPECT_FALSE(c->security.api_key_enabled);
    EXPECT_TRUE(c->fallback_enabled);
    EXPECT_FALSE(c->fallback_when_limited);
}

TEST(Settings, PathsOfAFileAreRelativeToIt) {
    const auto at = [](const char* settings, const Environment& env = {}) {
        auto c = parseSettings(settings, env);
        EXPECT_TRUE(c.ok()) << problemOf(c);
        return c.ok() ? *std::move(c) : Config();
    };
    EXPECT_EQ(at("store: { url: 'sqlite:var/x.db' }").store_url, "sqlite:/etc/stepper/var/x.db");
    EXPECT_EQ(at("store: { url: 'sqlite:${D:-../x}/x.db' }").store_url, "sqlite:/etc/x/x.db");
    EXPECT_EQ(at("store: { url: 'sqlite:/data/x.db' }").store_url, "sqlite:/data/x.db");
    EXPECT_EQ(at("store: { durability: normal }").store_url, "sqlite:/etc/stepper/var/stepper.db");
    EXPECT_EQ(at("store: { url: 'memory:' }").store_url, "memory:");
    EXPECT_EQ(at("plugins: { state_dir: var/p }").plugins.state_dir, "/etc/stepper/var/p");
    EXPECT_TRUE(at("{}").plugins.state_dir.empty());
    const auto here = std::filesystem::current_path().string();
    EXPECT_EQ(at("store: { url: 'sqlite:y.db' }", {{"REDIS_URL", "sqlite:x.db"}}).store_url,
              "sqlite:" + here + "/x.db");
    const auto built_in =
        parse({.stepper_yaml = "{}", .providers_yaml = "providers: []", .base_dir = {}}, {});
    ASSERT_TRUE(built_in.ok());
    EXPECT_EQ(built_in->store_url, "sqlite:" + here + "/var/stepper.db");
}

TEST(Settings, EveryKeyIsRead) {
    const auto c = parseSettings(R"(
server: { listen: "[::1]:0", max_connections: 7, max_body: 1.5MiB, body_memory: 2MiB, drain_timeout: 1m30s, keep_alive: 2m, hosts: [stepper, "[2001:DB8::7]", "*"] }
providers_file: elsewhere.yaml
plugins_dir: ../plugins
store: { url: "rediss://h:1/0", key_prefix: p, durability: normal }
cache: { ttl: 2h, fresh_for: 1.5h, stale_while_revalidate: no, delivery: { reports: keep, generate: once } }
queue: { workers: 3, retention: 2d, retention_failed: 9d, lease: 5s, max_attempts: 2, max_wait: 3h }
batch: { max_items: 9, max_concurrency: 8, max_running: 2 }
fallback: { enabled: False, when_limited: yes }
security:
  api_key: " k "
  api_key_header: X-Key
  api_key_skip_health: off
  security_headers: "false"
  trust_proxy: [10.0.0.0/8, loopback]
  redact: FALSE
  cors: { enabled: false, allowed_origins: [https://a, "https://b"], allow_credentials: true }
  rate_limit: { enabled: true, window: 500ms, max_requests: 5, max_per_user: 4, skip_health: false }
webhooks: { enabled: false, secret: s, allowed_origins: "https://x, https://y", api_url: https://z/, max_retries: 0, retry_delay: 250ms }
log: { level: WARN, format: text }
)");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->server.host, "::1");
    EXPECT_EQ(c->server.port, 0);
    EXPECT_THAT(c->server.hosts, ElementsAre("stepper", "2001:db8::7", "*"));
    EXPECT_EQ(c->server.max_connections, 7);
    EXPECT_EQ(c->server.max_body, 1'572'864u);
    EXPECT_EQ(c->server.body_memory, 2u << 20);
    EXPECT_EQ(c->server.drain_timeout, 90s);
    EXPECT_EQ(c->server.keep_alive, 2min);
    EXPECT_EQ(c->plugins_dir, "/etc/plugins");
    EXPECT_EQ(c->store_url, "rediss://h:1/0");
    EXPECT_EQ(c->store_key_prefix, "p");
    EXPECT_EQ(c->store_durability, "normal");
    EXPECT_EQ(c->cache.ttl, 2h);
    EXPECT_EQ(c->cache.fresh_for, 90min);
    EXPECT_FALSE(c->cache.stale_while_revalidate);
    EXPECT_EQ(c->cache.reports_delivery, "keep");
    EXPECT_EQ(c->cache.generate_delivery, "once");
    EXPECT_EQ(c->queue.workers, 3);
    EXPECT_EQ(c->queue.retention, 48h);
    EXPECT_EQ(c->queue.retention_failed, 9 * 24h);
    EXPECT_EQ(c->queue.lease, 5s);
    EXPECT_EQ(c->queue.max_attempts, 2);
    EXPECT_EQ(c->queue.max_wait, 3h);
    EXPECT_EQ(c->batch.max_items, 9);
    EXPECT_EQ(c->batch.max_concurrency, 8);
    EXPECT_EQ(c->batch.max_running, 2);
    EXPECT_FALSE(c->fallback_enabled);
    EXPECT_TRUE(c->fallback_when_limited);
    EXPECT_TRUE(c->security.api_key_enabled);
    EXPECT_EQ(c->security.api_key.reveal(), "k");
    EXPECT_EQ(c->security.api_key_header, "X-Key");
    EXPECT_FALSE(c->security.api_key_skip_health);
    EXPECT_FALSE(c->security.security_headers);
    EXPECT_THAT(c->security.trust_proxy.words(), ElementsAre("10.0.0.0/8", "loopback"));
    EXPECT_FALSE(c->security.redact);
    EXPECT_FALSE(c->security.cors.enabled);
    EXPECT_THAT(c->security.cors.allowed_origins, ElementsAre("https://a", "https://b"));
    EXPECT_TRUE(c->security.cors.allow_credentials);
    EXPECT_TRUE(c->security.rate_limit.enabled);
    EXPECT_EQ(c->security.rate_limit.window, 500ms);
    EXPECT_EQ(c->security.rate_limit.max_requests, 5);
    EXPECT_EQ(c->security.rate_limit.max_per_user, 4);
    EXPECT_FALSE(c->security.rate_limit.skip_health);
    EXPECT_FALSE(c->webhooks.enabled);
    EXPECT_EQ(c->webhooks.secret.reveal(), "s");
    EXPECT_THAT(c->webhooks.allowed_origins, ElementsAre("https://x", "https://y"));
    EXPECT_EQ(c->webhooks.api_url, "https://z");
    EXPECT_EQ(c->webhooks.max_retries, 0);
    EXPECT_EQ(c->webhooks.retry_delay, 250ms);
    EXPECT_EQ(c->log.level, "warn");
    EXPECT_EQ(c->log.format, "text");
}

TEST(Settings, ReferencesWorkInsideBracesAndBrackets) {
    const auto c = parseSettings(
        "security: { api_key: ${STEPPER_API_KEY:-}, cors: { allowed_origins: [${A:-https://a}, "
        "${B:-https://b, https://c}] } "
        "}\n"
        "webhooks: { secret: ${WEBHOOK_SECRET:-}, allowed_origins: [] }\n",
        {{"WEBHOOK_SECRET", "${not: replaced} again"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_FALSE(c->security.api_key_enabled);
    EXPECT_THAT(c->security.cors.allowed_origins, ElementsAre("https://a", "https://b", "https://c"));
    EXPECT_EQ(c->webhooks.secret.reveal(), "${not: replaced} again");
}

TEST(Settings, FreshnessNeverOutlivesTheEntry) {
    const auto c = parseSettings("cache: { ttl: 10m }");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->cache.fresh_for, 10min);
    EXPECT_THAT(c->warnings,
                testing::Contains("cache.fresh_for (45m) is longer than cache.ttl (10m): using 10m"));
}

TEST(Settings, NullIsAsIfNotWritten) {
    const auto c = parseSettings("cache:\nqueue: { workers: ~ }\nlog: { level: null }\n");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->queue.workers, 64);
    EXPECT_EQ(c->log.level, "info");
}

TEST(Providers, EveryKeyIsRead) {
    const auto c = parseProvider(R"(
    enabled: auto
    base_url: https://h/v1//
    model: m
    models: [m-2, org/m-3]
    api_key: k
    timeout: 61s
    connect_timeout: 2s
    first_byte_timeout: 3s
    idle_timeout: 4s
    concurrency: 7
    max_response_bytes: 1MiB
    limits:
      { rps: 0.5, rpm: 10, rpd: 250, tpm: 250000, tpd: 1000000, day_resets_in: America/Los_Angeles, skew: 100ms,
        windows: [{ requests: 10, per: 5s }, { tokens: 1000, per: 10s }, { requests: 1, tokens: 2, per: 30d }] }
    retry: { attempts: 3, base: 1s, cap: 4s }
    breaker: { window: 30s, min_calls: 4, failure_rate: 0.25, consecutive: 3, open_for: 1s, max_open_for: 2s, probes: 1 }
    wait_up_to: 1500ms
    prompt_variant: short
    price: { input: 0.15, output: 60 }
    temperature: 0.5
    system: "Be terse."
    max_tokens: 2048
)");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    ASSERT_EQ(c->providers.size(), 1u);
    const Provider& p = c->providers[0];
    EXPECT_EQ(p.name, "one");
    EXPECT_EQ(p.plugin, "p");
    EXPECT_TRUE(p.enabled);
    EXPECT_EQ(p.disabled_reason, "");
    EXPECT_EQ(p.base_url, "https://h/v1");
    EXPECT_EQ(p.model, "m");
    EXPECT_EQ(p.api_keys.at(0).reveal(), "k");
    EXPECT_EQ(p.timeout, 61s);
    EXPECT_EQ(p.connect_timeout, 2s);
    EXPECT_EQ(p.first_byte_timeout, 3s);
    EXPECT_EQ(p.idle_timeout, 4s);
    EXPECT_EQ(p.concurrency, 7);
    EXPECT_EQ(p.max_response_bytes, 1u << 20);
    EXPECT_EQ(p.limits.rps, 0.5);
    EXPECT_EQ(p.limits.rpm, 10);
    EXPECT_EQ(p.limits.rpd, 250);
    EXPECT_EQ(p.limits.tpm, 250'000);
    EXPECT_EQ(p.limits.tpd, 1'000'000);
    EXPECT_EQ(p.limits.day_resets_in, "America/Los_Angeles");
    EXPECT_EQ(p.limits.skew, 100ms);
    ASSERT_EQ(p.limits.windows.size(), 3u);
    EXPECT_EQ(p.limits.windows[0].requests, 10);
    EXPECT_EQ(p.limits.windows[0].tokens, std::nullopt);
    EXPECT_EQ(p.limits.windows[0].per, 5s);
    EXPECT_EQ(p.limits.windows[1].tokens, 1000);
    EXPECT_EQ(p.limits.windows[2].per, 720h);
    EXPECT_EQ(p.retry.attempts, 3);
    EXPECT_EQ(p.retry.cap, 4s);
    EXPECT_EQ(p.breaker.failure_rate, 0.25);
    EXPECT_EQ(p.breaker.probes, 1);
    EXPECT_EQ(p.wait_up_to, 1500ms);
    EXPECT_EQ(p.prompt_variant, PromptVariant::Short);
    ASSERT_TRUE(p.price);
    EXPECT_EQ(p.price->input, 0.15);
    EXPECT_EQ(p.price->output, 60);
    EXPECT_EQ(p.models, (std::vector<std::string>{"m-2", "org/m-3"}));
    EXPECT_EQ(p.temperature, 0.5);
    EXPECT_EQ(p.system, "Be terse.");
    EXPECT_EQ(p.max_tokens, 2048);
    EXPECT_EQ(describe(p.mark), "providers.yaml:2:5");
}

TEST(Providers, DefaultsMergeKeyByKey) {
    const auto c = parseProviders(R"(
defaults:
  timeout: 9s
  limits: { rpm: 5, rpd: 50, windows: [{ requests: 1, per: 1s }] }
  retry: { attempts: 4, base: 1s }
providers:
  - { name: plain, plugin: p, base_url: http://h }
  - { name: own, plugin: p, base_url: http://h, timeout: 1s, limits: { rpm: 7, windows: [] }, retry: { base: 3s } }
  - { name: cleared, plugin: p, base_url: http://h, timeout: null, limits: { rpm: ~ }, retry: ~ }
)");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    const auto& [plain, own, cleared] = std::tie(c->providers[0], c->providers[1], c->providers[2]);
    EXPECT_EQ(plain.timeout, 9s);
    EXPECT_EQ(plain.limits.rpm, 5);
    EXPECT_EQ(plain.limits.windows.size(), 1u);
    EXPECT_EQ(own.timeout, 1s);
    EXPECT_EQ(own.limits.rpm, 7);
    EXPECT_EQ(own.limits.rpd, 50);
    EXPECT_TRUE(own.limits.windows.empty());
    EXPECT_EQ(own.retry.attempts, 4);
    EXPECT_EQ(own.retry.base, 3s);
    EXPECT_EQ(own.retry.cap, 3s) << "the cap is never below the base";
    EXPECT_EQ(cleared.timeout, 60s);
    EXPECT_EQ(cleared.limits.rpm, std::nullopt);
    EXPECT_EQ(cleared.limits.rpd, 50);
    EXPECT_EQ(cleared.retry.attempts, 4) << "an emptied section keeps the defaults";
}

TEST(Providers, AProxyOrNoneOrWhatTheEnvironmentSays) {
    const auto c = parseProviders(R"(
defaults: { proxy: "socks5h://proxy.example:1080" }
providers:
  - { name: plain, plugin: p, base_url: http://h }
  - { name: own, plugin: p, base_url: http://h, proxy: "http://u:p%2Fw@[2001:db8::1]:3128/" }
  - { name: none, plugin: p, base_url: http://h, proxy: None }
  - { name: environment, plugin: p, base_url: http://h, proxy: ~ }
  - { name: unset, plugin: p, base_url: http://h, proxy: "${OWN_PROXY:-}" }
  - { name: near, plugin: p, base_url: "http://[::1]:8000/v1", proxy: direct }
  - { name: vain, plugin: p, base_url: "http://localhost:8000/v1", proxy: "http://proxy.example:3128" }
)");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    const auto proxy = [&](size_t i) { return c->providers[i].proxy; };
    EXPECT_EQ(proxy(0)->reveal(), "socks5h://proxy.example:1080");
    EXPECT_EQ(proxy(1)->reveal(), "http://u:p%2Fw@[2001:db8::1]:3128/");
    EXPECT_EQ(proxy(2), Secret());
    EXPECT_EQ(proxy(3), std::nullopt);
    EXPECT_EQ(proxy(4), std::nullopt);
    EXPECT_EQ(proxy(5), Secret());
    EXPECT_THAT(c->warnings,
                ElementsAre("Provider vain is on this machine, so its proxy is not used: remove it."));
}

TEST(Providers, DefaultsReachZonesMarginsAndPrices) {
    const auto c = parseProviders(R"(
defaults:
  limits: { day_resets_in: Asia/Kathmandu, skew: 0s }
  price: { input: 1, output: 2 }
providers:
  - { name: plain, plugin: p, base_url: http://h }
  - { name: own, plugin: p, base_url: http://h, limits: { day_resets_in: UTC, skew: 1s }, price: { output: 0 } }
  - { name: cleared, plugin: p, base_url: http://h, limits: { day_resets_in: ~, skew: ~ } }
)");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    const auto& [plain, own, cleared] = std::tie(c->providers[0], c->providers[1], c->providers[2]);
    EXPECT_EQ(plain.limits.day_resets_in, "Asia/Kathmandu");
    EXPECT_EQ(plain.limits.skew, 0ms);
    ASSERT_TRUE(plain.price && own.price);
    EXPECT_EQ(plain.price->input, 1);
    EXPECT_EQ(own.limits.day_resets_in, "UTC");
    EXPECT_EQ(own.limits.skew, 1s);
    EXPECT_EQ(own.price->input, 1);
    EXPECT_EQ(own.price->output, 0);
    EXPECT_EQ(cleared.limits.day_resets_in, "UTC");
    EXPECT_EQ(cleared.limits.skew, std::nullopt);
}

TEST(Providers, WithoutAWordThereIsNoPriceAndNoMargin) {
    const auto c = parseProvider("");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_FALSE(c->providers[0].price);
    EXPECT_EQ(c->providers[0].limits.skew, std::nullopt);
    EXPECT_EQ(c->providers[0].limits.day_resets_in, "UTC");
}

TEST(Providers, ThePlanIsManualUnlessWritten) {
    const std::pair<const char*, Plan> cases[] = {{"", Plan::Manual},
                                                  {"plan: ~\n", Plan::Manual},
                                                  {"plan: manual\n", Plan::Manual},
                                                  {"plan: fastest-first\n", Plan::FastestFirst},
                                                  {"plan: Cheapest-First\n", Plan::CheapestFirst},
                                                  {"plan: ${PLAN}\n", Plan::FastestFirst}};
    for (const auto& [text, plan] : cases) {
        const auto c = parseProviders(text + std::string("providers: []\n"), {{"PLAN", "fastest-first"}});
        ASSERT_TRUE(c.ok()) << problemOf(c);
        EXPECT_EQ(c->plan, plan) << text;
    }
}

TEST(Providers, AnchorsAndMergeKeys) {
    const auto c = parseProviders(R"(
providers:
  - &a { name: a, plugin: p, base_url: http://h, limits: &slow { rpm: 1 } }
  - { <<: *a, name: b, limits: { <<: *slow, rpd: 9 } }
  - { <<: [{ plugin: q }, *a], name: c }
)");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->providers[1].name, "b");
    EXPECT_EQ(c->providers[1].base_url, "http://h");
    EXPECT_EQ(c->providers[1].limits.rpm, 1);
    EXPECT_EQ(c->providers[1].limits.rpd, 9);
    EXPECT_EQ(c->providers[2].plugin, "q") << "the earlier mapping wins";
}

TEST(Providers, OptionsBecomeTypedJson) {
    const auto c = parseProvider(R"(
    options:
      t: true
      f: FALSE
      n: ~
      i: -12
      plus: +3
      signs: +-3
      minus: "-"
      dash: -x
      hex: 0x1F
      oct: 0o17
      big: 99999999999999999999
      float: 1.5
      exp: 1e3
      word: auto
      yes: yes
      quoted: "12"
      single: 'true'
      date: 2023-06-01
      from_env: ${N}
      text_env: "${N}"
      empty: ${EMPTY:-}
      list: [1, a, [b], {}]
      map: { "a.b": 1, héé: "é" }
      block: |
        two
        lines
)",
                                 {{"N", "42"}});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(
        c->providers[0].options_json,
        R"({"t":true,"f":false,"n":null,"i":-12,"plus":3,"signs":"+-3","minus":"-","dash":"-x","hex":31,"oct":15,"big":100000000000000000000.0,"float":1.5,)"
        R"("exp":1000.0,"word":"auto","yes":"yes","quoted":"12","single":"true","date":"2023-06-01",)"
        R"("from_env":42,"text_env":"42","empty":"","list":[1,"a",["b"],{}],"map":{"a.b":1,"héé":"é"},)"
        R"("block":"two\nlines\n"})");
}

struct EnabledCase {
    const char* keys;
    Environment env;
    bool enabled;
    const char* reason;
};

TEST(Providers, EnabledOrWhyNot) {
    const EnabledCase cases[] = {
        {"    base_url: http://h\n", {}, true, ""},
        {"    base_url: http://h\n    api_key: k\n", {}, true, ""},
        {"    base_url: http://h\n    api_key: ${K}\n", {}, false, "no API key: set K"},
        {"    base_url: http://h\n    api_key: ${K:-}\n", {{"K", " "}}, false, "no API key: set K"},
        {"    base_url: http://h\n    api_key: ${K:-}\n", {{"K", "x"}}, true, ""},
        {"    base_url: http://h\n    api_key: ${K:-}\n", {{"ONE_API_KEY", "x"}}, true, ""},
        {"    base_url: http://h\n    api_key: \"\"\n", {}, false, "no API key: set ONE_API_KEY"},
        {"    base_url: http://h\n    api_key:\n", {}, false, "no API key: set ONE_API_KEY"},
        {"    base_url: ${U:-}\n", {}, false, "no base_url: set U"},
        {"    base_url: ${U:-}\n", {{"U", "http://h"}}, true, ""},
        {"", {}, false, "no base_url: set ONE_BASE_URL"},
        {"", {{"ONE_BASE_URL", "http://h"}}, true, ""},
        {"    base_url: http://h\n    enabled: false\n",
         {},
         false,
         "switched off (providers.yaml:5:14); set ONE_ENABLED=true to switch it on"},
        {"    base_url: http://h\n    enabled: false\n", {{"ONE_ENABLED", "1"}}, true, ""},
        {"    base_url: http://h\n    enabled: ${ON:-auto}\n",
         {{"ON", "no"}},
         false,
         "switched off (providers.yaml:5:14); set ONE_ENABLED=true to switch it on"},
        {"    base_url: http://h\n",
         {{"ONE_ENABLED", "false"}},
         false,
         "switched off (environment variable ONE_ENABLED); set ONE_ENABLED=true to switch it on"},
        {"    base_url: http://h\n    api_key: ${K}\n    enabled: true\n", {}, true, ""},
    };
    for (const EnabledCase& k : cases) {
        const auto c = parseProvider(k.keys, k.env);
        ASSERT_TRUE(c.ok()) << k.keys << problemOf(c);
        EXPECT_EQ(c->providers[0].enabled, k.enabled) << k.keys;
        EXPECT_EQ(c->providers[0].disabled_reason, k.reason) << k.keys;
    }
}

TEST(Providers, EnabledWithoutAKeyIsAWarning) {
    const auto c = parseProvider("    base_url: http://h\n    api_key: ${K}\n    enabled: true\n");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_THAT(c->warnings,
                ElementsAre("Provider one is enabled without an API key: set K or remove api_key from "
                            "its block."));
}

TEST(Providers, NoneEnabledIsAWarning) {
    const auto c = parseProviders("providers: []");
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_THAT(c->warnings, ElementsAre(HasSubstr("No provider is enabled")));
}

class Load : public testing::Test {
protected:
    Load() { std::filesystem::create_directories(dir_ / "sub"); }
    ~Load() override { std::filesystem::remove_all(dir_); }
    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(dir_ / name) << text;
        return dir_ / name;
    }
    const std::filesystem::path dir_ =
        std::filesystem::path(testing::TempDir()) /
        (std::string("config-") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(Load, ReadsBothFiles) {
    const auto settings = write("stepper.yaml", "providers_file: sub/p.yaml\nplugins_dir: sub/../plugins\n");
    const auto providers = write("sub/p.yaml", "providers: [{ name: a, plugin: p, base_url: http://h }]\r\n");
    const auto c = load(settings, {});
    ASSERT_TRUE(c.ok()) << problemOf(c);
    EXPECT_EQ(c->providers.size(), 1u);
    EXPECT_EQ(c->plugins_dir, dir_ / "plugins");
    EXPECT_THAT(c->files, ElementsAre(settings, providers));
}

TEST_F(Load, SettingsAloneNeedNoProvidersFile) {
    const auto settings =
        write("stepper.yaml", "server: { listen: 127.0.0.1:4711 }\nproviders_file: p.yaml\n");
    for (const bool there : {false, true}) {
        if (there) write("p.yaml", "providers: [");
        EXPECT_FALSE(load(settings, {}).ok());
        const auto c = loadSettings(settings, {});
        ASSERT_TRUE(c.ok()) << problemOf(c);
        EXPECT_EQ(c->server.port, 4711);
        EXPECT_THAT(c->providers, IsEmpty());
    }
    write("stepper.yaml", "serverr: {}");
    EXPECT_FALSE(loadSettings(settings, {}).ok());
}

TEST_F(Load, SaysWhichFileCannotBeRead) {
    EXPECT_EQ(problemOf(load(dir_ / "none.yaml", {})),
              (dir_ / "none.yaml").string() + ": cannot be read: No such file or directory");
    EXPECT_EQ(problemOf(load(dir_, {})),
              dir_.string() + ": cannot be read: it is a folder, not a regular file");
    const auto settings = write("stepper.yaml", "providers_file: none.yaml\n");
    EXPECT_EQ(problemOf(load(settings, {})), settings.string() +
                                                 ":1:17: providers_file: " + (dir_ / "none.yaml").string() +
                                                 ": cannot be read: No such file or directory");
    const auto silent = write("silent.yaml", "{}");
    EXPECT_EQ(problemOf(load(silent, {})), silent.string() +
                                               ": providers_file: " + (dir_ / "providers.yaml").string() +
                                               ": cannot be read: No such file or directory");
}

TEST_F(Load, TooLargeAFileIsRefused) {
    const auto settings = write("stepper.yaml", "#" + std::string(4u << 20, ' '));
    EXPECT_EQ(problemOf(load(settings, {})), settings.string() + ":1:1: larger than 4 MiB");
}

}  // namespace
}  // namespace stepper::config
