// Nothing of a configuration can be forgotten any more: each member is written by one setting, each setting
// is read, shown, compared, and named where it is documented.
#include "core/config/settings.h"

#include <set>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/config/compare.h"
#include "core/config/effective.h"
#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Every member there is. A new one does not compile here until it has a name, and then fails until some row
// of the tables writes it.
auto membersOf(const Server& s) {
    const auto& [host, port, hosts, max_connections, max_body, body_memory, drain, keep_alive] = s;
    return std::tie(host, port, hosts, max_connections, max_body, body_memory, drain, keep_alive);
}
auto membersOf(const Plugins& p) {
    const auto& [require_sha256, sha256, state_dir] = p;
    return std::tie(require_sha256, sha256, state_dir);
}
auto membersOf(const Cache& c) {
    const auto& [ttl, fresh_for, stale, reports, generate] = c;
    return std::tie(ttl, fresh_for, stale, reports, generate);
}
auto membersOf(const Queue& q) {
    const auto& [workers, retention, failed, lease, max_wait, max_attempts, max_calls] = q;
    return std::tie(workers, retention, failed, lease, max_wait, max_attempts, max_calls);
}
auto membersOf(const Batch& b) {
    const auto& [items, concurrency, running] = b;
    return std::tie(items, concurrency, running);
}
auto membersOf(const Cors& c) {
    const auto& [enabled, origins, credentials] = c;
    return std::tie(enabled, origins, credentials);
}
auto membersOf(const RateLimit& r) {
    const auto& [enabled, window, requests, per_user, skip_health] = r;
    return std::tie(enabled, window, requests, per_user, skip_health);
}
auto membersOf(const Security& s) {
    const auto& [enabled, key, header, skip_health, admin, headers, proxies, cors, rate, redact] = s;
    return std::tuple_cat(std::tie(enabled, key, header, skip_health, admin, headers, proxies, redact),
                          membersOf(cors), membersOf(rate));
}
auto membersOf(const Webhooks& w) {
    const auto& [enabled, secret, origins, url, retries, delay] = w;
    return std::tie(enabled, secret, origins, url, retries, delay);
}
auto membersOf(const Log& l) {
    const auto& [level, format] = l;
    return std::tie(level, format);
}
// Providers have a table of their own; warnings and files are no settings.
auto membersOf(const Config& c) {
    const auto& [server, providers_file, plugins_dir, plugins, url, prefix, durability, cache, queue, batch,
                 fallback, limited, jobs, security, webhooks, log, plan, providers, warnings, files] = c;
    (void)providers, (void)warnings, (void)files;
    return std::tuple_cat(
        std::tie(providers_file, plugins_dir, url, prefix, durability, fallback, limited, jobs, plan),
        membersOf(server), membersOf(plugins), membersOf(cache), membersOf(queue), membersOf(batch),
        membersOf(security), membersOf(webhooks), membersOf(log));
}
auto membersOf(const Limits& l) {
    const auto& [rps, rpm, rpd, tpm, tpd, windows, zone, skew] = l;
    return std::tie(rps, rpm, rpd, tpm, tpd, windows, zone, skew);
}
auto membersOf(const Retry& r) {
    const auto& [attempts, base, cap] = r;
    return std::tie(attempts, base, cap);
}
auto membersOf(const Breaker& b) {
    const auto& [window, calls, rate, consecutive, open_for, max_open_for, probes] = b;
    return std::tie(window, calls, rate, consecutive, open_for, max_open_for, probes);
}
// Its place in the file is no setting; of options there are two readings, of `enabled` a reason.
auto membersOf(const Provider& p) {
    const auto& [name, plugin, enabled, reason, url, model, models, keys, proxy, timeout, connect, first_byte,
                 idle, concurrency, bytes, stream, limits, retry, breaker, wait, probe, warm, variant,
                 isolation, price, temperature, system, max_tokens, options, options_shown, mark] = p;
    (void)reason, (void)options_shown, (void)mark;
    return std::tuple_cat(std::tie(name, plugin, enabled, url, model, models, keys, proxy, timeout, connect,
                                   first_byte, idle, concurrency, bytes, stream, wait, probe, warm, variant,
                                   isolation, price, temperature, system, max_tokens, options),
                          membersOf(limits), membersOf(retry), membersOf(breaker));
}

// Which of them, by their places, differ.
template <class T>
std::set<size_t> unequal(const T& a, const T& b) {
    std::set<size_t> out;
    const auto one = membersOf(a), other = membersOf(b);
    [&]<size_t... I>(std::index_sequence<I...>) {
        ((std::get<I>(one) == std::get<I>(other) ? void() : void(out.insert(I))), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(one)>>());
    return out;
}
template <class T>
constexpr size_t kMembers = std::tuple_size_v<decltype(membersOf(std::declval<const T&>()))>;

struct Sample {
    std::string path;
    std::string value;                     // other than the default
    std::optional<std::string> told = {};  // by differences(), where that is not only the path
    Environment env = {};                  // that the value needs beside it
    size_t members = 1;                    // that it writes
};
using Samples = std::vector<Sample>;

// `value` at a.b.c, in one line of YAML.
std::string yamlOf(const std::string& path, const std::string& value) {
    const size_t dot = path.find('.');
    if (dot == std::string::npos) return path + ": " + value;
    return path.substr(0, dot) + ": { " + yamlOf(path.substr(dot + 1), value) + " }";
}

const Samples kSettings = {
    {"server.listen", "127.0.0.2:1", "server.host changed, server.port changed", {}, 2},
    {"server.host", "127.0.0.3"},
    {"server.port", "4711"},
    {"server.hosts", "[a.example]"},
    {"server.max_connections", "7"},
    {"server.max_body", "2KiB"},
    {"server.body_memory", "2MiB"},
    {"server.drain_timeout", "7s"},
    {"server.keep_alive", "8s"},
    {"providers_file", "others.yaml", ""},
    {"provider_defaults", "{ concurrency: 3 }", "", {}, 0},
    {"plugins_dir", "/elsewhere"},
    {"plugins.require_sha256", "true"},
    {"plugins.sha256",
     "{ a: "
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef }",
     "plugins.sha256.a changed"},
    {"plugins.state_dir", "/state"},
    {"store.url", "'memory:'"},
    {"store.durability", "normal"},
    {"store.key_prefix", "shop"},
    {"cache.ttl", "2h"},
    {"cache.fresh_for", "1m"},
    {"cache.stale_while_revalidate", "false"},
    {"cache.delivery.reports", "keep"},
    {"cache.delivery.generate", "once"},
    {"queue.workers", "3"},
    {"queue.retention", "2h"},
    {"queue.retention_failed", "9d"},
    {"queue.lease", "9s"},
    {"queue.max_attempts", "9"},
    {"queue.max_calls", "9"},
    {"queue.max_wait", "9h"},
    {"batch.max_items", "9"},
    {"batch.max_concurrency", "9"},
    {"batch.max_running", "9"},
    {"fallback.enabled", "false"},
    {"fallback.when_limited", "true"},
    {"fallback.jobs", "fail"},
    {"security.api_key", "hush", "security.api_key_enabled changed, security.api_key changed", {}, 2},
    {"security.api_key_enabled", "false", {}, {{"STEPPER_API_KEY", "k"}}},
    {"security.api_key_header", "x-other"},
    {"security.api_key_skip_health", "false"},
    {"security.admin_key", "hush"},
    {"security.security_headers", "false"},
    {"security.trust_proxy", "2"},
    {"security.cors.enabled", "false"},
    {"security.cors.allowed_origins", "[https://a.example]"},
    {"security.cors.allow_credentials", "true"},
    {"security.rate_limit.enabled", "true"},
    {"security.rate_limit.window", "9s"},
    {"security.rate_limit.max_requests", "9"},
    {"security.rate_limit.max_per_user", "9"},
    {"security.rate_limit.skip_health", "false"},
    {"security.redact", "false"},
    {"webhooks.enabled", "false"},
    {"webhooks.secret", "hush"},
    {"webhooks.allowed_origins", "[a]"},
    {"webhooks.api_url", "https://a.example"},
    {"webhooks.max_retries", "9"},
    {"webhooks.retry_delay", "9s"},
    {"log.level", "debug"},
    {"log.format", "text"},
};
const Samples kCatalogue = {{"plan", "cheapest-first"}};

const Samples kBlock = {
    {"name", "two", "provider one removed, provider two added"},
    {"plugin", "q"},
    {"enabled", "false", "provider one changed: enabled, disabled_reason"},
    {"base_url", "http://other"},
    {"model", "m"},
    {"models", "[m, n]"},
    {"api_key", "hush"},
    {"api_keys", "[hush, hush2]", "provider one changed: api_key, api_keys"},
    {"options", "{ x: 1 }", "provider one changed: options.x"},
    {"proxy", "none"},
    {"timeout", "9s"},
    {"connect_timeout", "9s"},
    {"first_byte_timeout", "9s"},
    {"idle_timeout", "9s"},
    {"concurrency", "9"},
    {"max_response_bytes", "9KiB"},
    {"stream", "false"},
    {"limits.rps", "9"},
    {"limits.rpm", "9"},
    {"limits.rpd", "9"},
    {"limits.tpm", "9"},
    {"limits.tpd", "9"},
    {"limits.windows", "[{ requests: 9, per: 9s }]"},
    {"limits.day_resets_in", "Asia/Kathmandu"},
    {"limits.skew", "9ms"},
    {"retry.attempts", "9"},
    {"retry.base", "9ms"},
    {"retry.cap", "9s"},
    {"breaker.window", "9s"},
    {"breaker.min_calls", "9"},
    {"breaker.failure_rate", "0.9"},
    {"breaker.consecutive", "9"},
    {"breaker.open_for", "9s"},
    {"breaker.max_open_for", "9m"},
    {"breaker.probes", "9"},
    {"wait_up_to", "9s"},
    {"probe_every", "19s"},
    {"keep_warm", "19s"},
    {"prompt_variant", "short"},
    {"isolation", "process"},
    {"price", "{ input: 1, output: 2 }"},
    {"temperature", "0.9"},
    {"system", "Be brief."},
    {"max_tokens", "9"},
};

enum class In { Settings, Catalogue, Block };

Config with(In in, const std::string& yaml, const Environment& env) {
    const std::string line = yaml.empty() ? "" : yaml + "\n";
    const auto c = in == In::Settings    ? parseBoth(line + "x-more: {}", "providers: []", env)
                   : in == In::Catalogue ? parseBoth("{}", line + "providers: []", env)
                                         : parseBoth("{}",
                                                     "providers: [{ <<: { name: one, plugin: p, base_url: "
                                                     "'http://h' }, " +
                                                         yaml + " }]",
                                                     env);
    EXPECT_TRUE(c) << yaml << ": " << problemOf(c);
    return c ? *c : Config();
}

std::string told(const Config& from, const Config& to) {
    std::string out;
    for (const auto& sentence : differences(from, to)) out += (out.empty() ? "" : ", ") + sentence;
    return out;
}
std::string shown(const Config& c) { return json::dump(effective(c, Secrets::Masked)); }

const Config& whole(const Config& c) { return c; }
const Provider& first(const Config& c) { return c.providers.at(0); }

template <class T>
std::vector<std::string> keysIn(Rows<T> rows) {
    std::vector<std::string> out;
    for (const auto& row : rows)
        if (!row.type.empty()) out.push_back(row.path);
    return out;
}
std::vector<std::string> pathsOf(const Samples& samples) {
    std::vector<std::string> out;
    for (const auto& s : samples) out.push_back(s.path);
    return out;
}

// One of the three tables, with a sample for each of its rows.
template <class T>
struct Table {
    In in;
    Rows<T> rows;
    const Samples& samples;
    const T& (*of)(const Config&);

    Config before(const Sample& s) const { return with(in, "", s.env); }
    Config after(const Sample& s) const { return with(in, yamlOf(s.path, s.value), s.env); }
    const Setting<T>& row(const Sample& s) const {
        static const Setting<T> none{};
        const auto it = std::ranges::find(rows, s.path, &Setting<T>::path);
        return it == rows.end() ? none : *it;
    }
};
const Table<Config> kOfSettings{In::Settings, settings(), kSettings, whole};
const Table<Config> kOfCatalogue{In::Catalogue, catalogueSettings(), kCatalogue, whole};
const Table<Provider> kOfBlock{In::Block, providerSettings(), kBlock, first};

TEST(Tables, EachHasASample) {
    EXPECT_EQ(pathsOf(kSettings), keysIn(kOfSettings.rows));
    EXPECT_EQ(pathsOf(kCatalogue), keysIn(kOfCatalogue.rows));
    EXPECT_EQ(pathsOf(kBlock), keysIn(kOfBlock.rows));
}

// Members by their places that samples write, each no more than it should.
template <class T>
std::set<size_t> written(const Table<T>& table) {
    std::set<size_t> out;
    for (const Sample& s : table.samples) {
        auto members = unequal(table.of(table.before(s)), table.of(table.after(s)));
        EXPECT_EQ(members.size(), s.members) << s.path;
        out.merge(members);
    }
    return out;
}

TEST(Tables, EveryMemberIsWrittenByOne) {
    auto ofConfig = written(kOfSettings);
    ofConfig.merge(written(kOfCatalogue));
    EXPECT_EQ(ofConfig.size(), kMembers<Config>);
    EXPECT_EQ(written(kOfBlock).size(), kMembers<Provider>);
}

template <class T>
void expectTold(const Table<T>& table, const std::string& subject, const std::string& verb) {
    for (const Sample& s : table.samples) {
        const Config before = table.before(s), after = table.after(s);
        const std::string expected = s.told.value_or(subject + s.path + verb);
        EXPECT_EQ(told(before, after), expected);
        EXPECT_EQ(shown(before) != shown(after), !expected.empty()) << s.path;
        EXPECT_THAT(shown(after), Not(HasSubstr("hush"))) << s.path;
        EXPECT_EQ(table.row(s).secret, s.value.find("hush") != s.value.npos) << s.path;
    }
}

TEST(Tables, EachIsShownAndItsChangeTold) {
    expectTold(kOfSettings, "", " changed");
    expectTold(kOfCatalogue, "", " changed");
    expectTold(kOfBlock, "provider one changed: ", "");
}

template <class T>
void expectSameFromTheEnvironment(const Table<T>& table) {
    for (const Sample& s : table.samples) {
        const auto& [name, of, unit] = table.row(s).variable;
        if (of == Variable::Of::Nobody) continue;
        Environment env = s.env;
        std::string& value = env[of == Variable::Of::Service ? name : "ONE_" + name];
        std::ranges::copy_if(s.value, std::back_inserter(value), [](char c) {
            return std::string_view("[]'").find(c) == std::string_view::npos;
        });
        const Config from_env = with(table.in, "", env);
        EXPECT_TRUE(table.row(s).equal(table.of(from_env), table.of(table.after(s)))) << s.path;
        EXPECT_FALSE(table.row(s).equal(table.of(from_env), table.of(table.before(s)))) << s.path;
    }
}

TEST(Tables, TheVariableOfEachMeansTheSame) {
    expectSameFromTheEnvironment(kOfSettings);
    expectSameFromTheEnvironment(kOfBlock);
}

TEST(Tables, ThoseOfTheStartStayUntilTheNext) {
    const std::set<std::string> of_listen = {"server.host", "server.port"};
    for (const Sample& s : kSettings) {
        const Config running = kOfSettings.before(s), wanted = kOfSettings.after(s);
        Config next = wanted;
        const auto kept = keepFixed(next, running);
        const bool fixed = kOfSettings.row(s).restart;
        EXPECT_EQ(kept.size(), fixed ? 1u : 0u) << s.path;
        if (fixed) {
            EXPECT_EQ(kept.at(0), of_listen.contains(s.path) ? "server.listen" : s.path);
        }
        EXPECT_THAT(unequal(next, fixed ? running : wanted), IsEmpty()) << s.path;
    }
}

TEST(Tables, EachHasItsLineOfHelp) {
    const auto expectHelp = [](const auto& rows) {
        for (const auto& row : rows) {
            EXPECT_EQ(row.help.empty(), row.type.empty()) << row.path;
            EXPECT_EQ(row.help.find_first_of("|\n"), std::string::npos) << row.path;
        }
    };
    expectHelp(settings());
    expectHelp(catalogueSettings());
    expectHelp(providerSettings());
    expectHelp(windowSettings());
    expectHelp(priceSettings());
}

}  // namespace
}  // namespace stepper::config
