// What is wrong is named with its exact place and, where there is one, the likely cure.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/support.h"

namespace stepper::config {
namespace {

struct Broken {
    std::string text;
    std::string problem;  // without the file's name
};

std::string repeated(const std::string& s, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += s;
    return out;
}

TEST(Broken, Text) {
    const Broken cases[] = {
        {"", "1:1: the file is empty"},
        {" \n\n", "1:1: the file is empty"},
        {"# only a comment\n", "1:1: the file has no content"},
        {"\xEF\xBB\xBF \n", "1:1: the file is empty"},
        {"\xEF\xBB\xBFlgo: {}\n", "1:1: lgo: unknown key; did you mean \"log\"?"},
        {std::string("\xFF\xFEl\0o\0", 6), "1:1: is UTF-16; save it as UTF-8"},
        {std::string("log: {}\nx\0", 10), "2:2: not a text file: it holds the byte 0x00"},
        {"\x7F"
         "ELF",
         "1:1: not a text file: it holds the byte 0x7f"},
        {"log:\n  level: caf\xE9\n", "2:13: not UTF-8 text"},
        {"log:\n\tlevel: info\n", "2:1: indented with a tab; use spaces"},
        {"log:\n  \tlevel: info\n", "2:3: indented with a tab; use spaces"},
        {"log:\n  level: info\n\tformat: text\n", "3:1: indented with a tab; use spaces"},
        {"security:\n  cors:\n    allowed_origins:\n\t- https://a\n", "4:1: indented with a tab; use spaces"},
        {std::string((4u << 20) + 1, '#'), "1:1: larger than 4 MiB"},
        {"log: {}\n---\nlog: {}\n", "2:1: a second document starts here; a file holds one"},
        {"- a\n", "1:1: expected a mapping of keys to values, not a list"},
        {"text\n", "1:1: expected a mapping of keys to values, not \"text\""},
        {"log: [1, 2\n", "2:1: not valid YAML: end of sequence flow not found"},
        {"log: a: b\n", "1:7: not valid YAML: illegal map value"},
        {"log: \"open\n", "1:6: this quote is never closed"},
        {"log:\n  level: !!str 'it''s\n", "2:10: this quote is never closed"},
        {"log: *nope\n", "1:6: not valid YAML: the referenced anchor is not defined"},
        {"log: &a [*a]\n", "1:10: an alias inside the value it stands for"},
        {"log: !level info\n", "1:6: tags such as !name have no meaning here; put quotes around a text"},
        {"{a: b}: c\n", "1:1: a key must be a plain word"},
        {"log: { <<: 5 }\n", "1:6: a merge key (<<) takes a mapping or a list of mappings"},
        {"log: " + repeated("[", 40) + repeated("]", 40), "1:37: nested deeper than 32 levels"},
    };
    for (const Broken& b : cases)
        EXPECT_EQ(problemOf(parseSettings(b.text)), "stepper.yaml:" + b.problem) << b.text.substr(0, 60);
}

TEST(Broken, Settings) {
    const Broken cases[] = {
        {"lgo: {}\n", "1:1: lgo: unknown key; did you mean \"log\"?"},
        {"a: 1\n\"b\": 2\na: 3\n",
         "1:1: a: unknown key; valid here: server, providers_file, provider_defaults, plugins_dir, plugins, "
         "store, cache, "
         "queue, batch, fallback, security, webhooks, log\n"
         "stepper.yaml:2:1: b: unknown key; valid here: server, providers_file, provider_defaults, "
         "plugins_dir, plugins, "
         "store, cache, queue, batch, fallback, security, webhooks, log\n"
         "stepper.yaml:3:1: a: this key is already on line 1\n"
         "stepper.yaml:3:1: a: unknown key; valid here: server, providers_file, provider_defaults, "
         "plugins_dir, plugins, "
         "store, cache, queue, batch, fallback, security, webhooks, log"},
        {"log: info\n", "1:6: log: expected a mapping of keys to values, not \"info\""},
        {"log: { level: [] }\n", "1:15: log.level: expected a single value, not a list"},
        {"log: { level: verbose }\n",
         "1:15: log.level: expected one of trace, debug, info, warn, error, off, fatal, silent, not "
         "\"verbose\""},
        {"server:\n  listen: 127.0.0.1\n",
         "2:11: server.listen: expected HOST:PORT such as 127.0.0.1:3001 or "
         "[::1]:3001, ports 0 to 65535, not \"127.0.0.1\""},
        {"server: { listen: \"::1:80\" }\n",
         "1:19: server.listen: expected HOST:PORT such as 127.0.0.1:3001 or "
         "[::1]:3001, ports 0 to 65535, not \"::1:80\""},
        {"server: { listen: \"h:99999\" }\n",
         "1:19: server.listen: expected HOST:PORT such as 127.0.0.1:3001 or "
         "[::1]:3001, ports 0 to 65535, not \"h:99999\""},
        {"server:\n  hosts: [stepper, \"http://stepper\"]\n",
         "2:20: server.hosts[1]: \"http://stepper\" is no host: write a name or an address without scheme "
         "and "
         "port, *.example.com for all below it, or \"*\" for any"},
        {"server: { hosts: \"stepper:3001\" }\n",
         "1:18: server.hosts: \"stepper:3001\" is no host: write a name or an address without scheme and "
         "port, "
         "*.example.com for all below it, or \"*\" for any"},
        {"server: { max_body: 10 apples }\n",
         "1:21: server.max_body: expected a size from 1KiB to 1024MiB, such as 64KiB or 10MiB, not \"10 "
         "apples\""},
        {"server: { drain_timeout: soon }\n",
         "1:26: server.drain_timeout: expected a duration from 0ms to 1h, such as "
         "500ms, 30s or 1h30m, not \"soon\""},
        {"queue: { workers: 1.5 }\n",
         "1:19: queue.workers: expected a whole number from 0 to 4096, not \"1.5\""},
        {"queue: { workers: 4097 }\n",
         "1:19: queue.workers: expected a whole number from 0 to 4096, not \"4097\""},
        {"queue: { wrokers: 1 }\n", "1:10: queue.wrokers: unknown key; did you mean \"workers\"?"},
        {"cache: { delivery: { reports: twice } }\n",
         "1:31: cache.delivery.reports: expected one of once, keep, not \"twice\""},
        {"cache:\n  ttl: 1h\n  fresh_for: 1m\n  ttl: 2h\n", "4:3: cache.ttl: this key is already on line 2"},
        {"store: { url: postgres://u:secret@h }\n", "1:15: store.url: expected sqlite:PATH or memory:"},
        {"security: { redact: maybe }\n", "1:21: security.redact: expected true or false, not \"maybe\""},
        {"security: { api_key_enabled: true }\n",
         "1:30: security.api_key_enabled: is on, but there is no key; set "
         "STEPPER_API_KEY or security.api_key"},
        {"security: { api_key_header: \"a b\" }\n",
         "1:29: security.api_key_header: expected the name of an HTTP header, not \"a b\""},
        {"security: { api_key: ${STEPPER_API_KEY} }\n",
         "1:22: security.api_key: environment variable STEPPER_API_KEY is not set; set it, or write "
         "${STEPPER_API_KEY:-default}"},
        {"log: { level: \"${\" }\n",
         "1:15: log.level: malformed \"${...}\": write ${NAME} or ${NAME:-default}, and $$ "
         "for a dollar sign"},
        {"webhooks: { api_url: \"https://u:secret@h\" }\n",
         "1:22: webhooks.api_url: expected http:// or https:// with "
         "a host, and no user name, blanks, ? or #"},
        {"webhooks: { allowed_origins: { a: b } }\n",
         "1:30: webhooks.allowed_origins: expected a single value, not a mapping"},
    };
    for (const Broken& b : cases)
        EXPECT_EQ(problemOf(parseSettings(b.text)), "stepper.yaml:" + b.problem) << b.text;
}

TEST(Broken, Providers) {
    const Broken cases[] = {
        {"{}\n", "1:1: the key \"providers\" is missing"},
        {"providers: 5\n", "1:12: providers: expected a list, not \"5\""},
        {"providers: [5]\n", "1:13: providers[0]: expected a mapping of keys to values, not \"5\""},
        {"providers:\n  - plugin: p\n", "2:5: providers[0]: the key \"name\" is missing"},
        {"providers:\n  - name: a\n    plugin:\n", "2:5: providers[0]: the key \"plugin\" is missing"},
        {"providers:\n  - name: Gemini\n    plugin: p\n",
         "2:11: providers[0].name: expected 1 to 64 characters of a-z, 0-9 and -, not \"Gemini\""},
        {"providers:\n  - { name: a, plugin: p }\n  - { name: b, plugin: p }\n  - { name: a, plugin: p }\n",
         "4:13: providers[2].name: \"a\" is already the name of the one at providers.yaml:2:13"},
        {"providers:\n  - name: a\n    plugin: p\n    limts: { rpm: 1 }\n",
         "4:5: providers[0].limts: unknown key; did you mean \"limits\"?"},
        {"providers: [{ name: a, plugin: p, limits: { windws: [] } }]\n",
         "1:45: providers[0].limits.windws: unknown key; did you mean \"windows\"?"},
        {"providers: [{ name: a, plugin: p, limits: { rps: -1 } }]\n",
         "1:50: providers[0].limits.rps: expected a number from 0.001 to 1000000, not \"-1\""},
        {"providers: [{ name: a, plugin: p, limits: { rps: nan } }]\n",
         "1:50: providers[0].limits.rps: expected a number from 0.001 to 1000000, not \"nan\""},
        {"providers: [{ name: a, plugin: p, limits: { windows: [{ per: 5s }] } }]\n",
         "1:55: providers[0].limits.windows[0]: a window limits \"requests\", \"tokens\" or both"},
        {"providers: [{ name: a, plugin: p, limits: { windows: [{ requests: 5 }] } }]\n",
         "1:55: providers[0].limits.windows[0]: the key \"per\" is missing"},
        {"providers: [{ name: a, plugin: p, limits: { windows: { requests: 5, per: 1s } } }]\n",
         "1:54: providers[0].limits.windows: expected a list, not a mapping"},
        {"providers: [{ name: a, plugin: p, limits: { day_resets_in: ../x } }]\n",
         "1:60: providers[0].limits.day_resets_in: expected a time zone the system knows, such as UTC or "
         "America/Los_Angeles, not \"../x\""},
        {"providers: [{ name: a, plugin: p, limits: { day_resets_in: America/Los_Angels } }]\n",
         "1:60: providers[0].limits.day_resets_in: unknown time zone; did you mean \"America/Los_Angeles\"?"},
        {"providers: [{ name: a, plugin: p, limits: { day_resets_in: america/los_angeles } }]\n",
         "1:60: providers[0].limits.day_resets_in: unknown time zone; did you mean \"America/Los_Angeles\"?"},
        {"providers: [{ name: a, plugin: p, limits: { day_resets_in: \"\" } }]\n",
         "1:60: providers[0].limits.day_resets_in: expected a time zone the system knows, such as UTC or "
         "America/Los_Angeles, not \"\""},
        {"providers: [{ name: a, plugin: p, limits: { day_resets_in: " + std::string(65, 'x') + " } }]\n",
         "1:60: providers[0].limits.day_resets_in: expected a time zone the system knows, such as UTC or "
         "America/Los_Angeles, not \"" +
             std::string(40, 'x') + "...\""},
        {"defaults: { limits: { day_resets_in: UCT0 } }\nproviders: [{ name: a, plugin: p }]\n",
         "1:38: defaults.limits.day_resets_in: unknown time zone; did you mean \"UCT\"?"},
        {"providers: [{ name: a, plugin: p, limits: { skew: 61s } }]\n",
         "1:51: providers[0].limits.skew: expected a duration from 0ms to 1m, such as 500ms, 30s or 1h30m, "
         "not \"61s\""},
        {"providers: [{ name: a, plugin: p, limits: { skew: -1ms } }]\n",
         "1:51: providers[0].limits.skew: expected a duration from 0ms to 1m, such as 500ms, 30s or 1h30m, "
         "not \"-1ms\""},
        {"providers: [{ name: a, plugin: p, price: 3 }]\n",
         "1:42: providers[0].price: expected a mapping of keys to values, not \"3\""},
        {"providers: [{ name: a, plugin: p, price: { input: 1 } }]\n",
         "1:42: providers[0].price: the key \"output\" is missing"},
        {"providers: [{ name: a, plugin: p, price: { input: ~, output: 1 } }]\n",
         "1:42: providers[0].price: the key \"input\" is missing"},
        {"providers: [{ name: a, plugin: p, price: { input: -1, output: 1e7, ouput: 1 } }]\n",
         "1:51: providers[0].price.input: expected a number from 0 to 1000000, not \"-1\"\n"
         "providers.yaml:1:63: providers[0].price.output: expected a number from 0 to 1000000, not \"1e7\"\n"
         "providers.yaml:1:68: providers[0].price.ouput: unknown key; did you mean \"output\"?"},
        {"plan: fastest\nproviders: []\n",
         "1:7: plan: expected one of manual, fastest-first, cheapest-first, not \"fastest\""},
        {"plans: manual\nproviders: []\n", "1:1: plans: unknown key; did you mean \"plan\"?"},
        {"providers: [{ name: a, plugin: p, plan: manual }]\n",
         "1:35: providers[0].plan: unknown key; valid here: name, plugin, enabled, base_url, model, "
         "models, api_key, api_keys, options, proxy, timeout, connect_timeout, first_byte_timeout, "
         "idle_timeout, "
         "concurrency, "
         "max_response_bytes, stream, limits, retry, breaker, wait_up_to, probe_every, keep_warm, "
         "prompt_variant, isolation, price, "
         "temperature, system, max_tokens"},
        {"providers: [{ name: a, plugin: p, timeout: 0 }]\n",
         "1:44: providers[0].timeout: expected a duration from 1ms to 1d, such as 500ms, 30s or 1h30m, not "
         "\"0\""},
        {"providers: [{ name: a, plugin: p, enabled: perhaps }]\n",
         "1:44: providers[0].enabled: expected auto, true or false, not \"perhaps\""},
        {"providers: [{ name: a, plugin: p, enabled: true }]\n",
         "1:13: providers[0]: is enabled but has no base_url; write one or set A_BASE_URL"},
        {"providers: [{ name: a, plugin: p, base_url: ftp://h }]\n",
         "1:45: providers[0].base_url: expected http:// or https:// with a host, and no user name, blanks, ? "
         "or #"},
        {"providers: [{ name: a, plugin: p, model: ${MODEL} }]\n",
         "1:42: providers[0].model: environment variable MODEL is not set; set it, or write "
         "${MODEL:-default}"},
        {"providers: [{ name: a, plugin: p, api_key: \"sk-secret\\nX\" }]\n",
         "1:44: providers[0].api_key: holds a line break or another control character"},
        {"providers: [{ name: a, plugin: p, api_key: [sk-secret] }]\n",
         "1:44: providers[0].api_key: expected a single value, not a list"},
        {"providers: [{ name: a, plugin: p, proxy: \"proxy.example:3128\" }]\n",
         "1:42: providers[0].proxy: expected http://HOST:PORT, https://, socks5:// or socks5h:// such, or "
         "none"},
        {"providers: [{ name: a, plugin: p, proxy: \"http://u:secret@proxy.example\" }]\n",
         "1:42: providers[0].proxy: expected http://HOST:PORT, https://, socks5:// or socks5h:// such, or "
         "none"},
        {"providers: [{ name: a, plugin: p, proxy: \"http://u:secret@::1:3128\" }]\n",
         "1:42: providers[0].proxy: expected http://HOST:PORT, https://, socks5:// or socks5h:// such, or "
         "none"},
        {"providers: [{ name: a, plugin: p, proxy: \"http://u:sec/ret@proxy.example:1\" }]\n",
         "1:42: providers[0].proxy: in a user name or password write / as %2F, ? as %3F and # as %23"},
        {"providers: [{ name: a, plugin: p, proxy: ftp://secret@h:1 }]\n",
         "1:42: providers[0].proxy: expected http://HOST:PORT, https://, socks5:// or socks5h:// such, or "
         "none"},
        {"providers: [{ name: a, plugin: p, options: 5 }]\n",
         "1:44: providers[0].options: expected a mapping of keys to values, not \"5\""},
        {"providers: [{ name: a, plugin: p, options: { x: .inf, y: ${Y}, z: { q: 1, q: 2 } } }]\n",
         "1:49: providers[0].options.x: expected a number JSON can hold, not \".inf\"\n"
         "providers.yaml:1:58: providers[0].options.y: environment variable Y is not set; set it, or write "
         "${Y:-default}\n"
         "providers.yaml:1:75: providers[0].options.z.q: this key is already on line 1"},
        {"defaults: { name: x }\nproviders: []\n",
         "1:13: defaults.name: unknown key; valid here: proxy, timeout, connect_timeout, first_byte_timeout, "
         "idle_timeout, "
         "concurrency, max_response_bytes, stream, limits, retry, breaker, wait_up_to, probe_every, "
         "keep_warm, prompt_variant, "
         "isolation, "
         "price, temperature, system, max_tokens, enabled"},
        {"defaults: { limits: { rpm: x } }\nproviders: [{ name: a, plugin: p }, { name: b, plugin: p }]\n",
         "1:28: defaults.limits.rpm: expected a whole number from 1 to 1000000000000, not \"x\""},
        {"providers: [{ name: a, plugin: p, retry: { attempts: 0 }, breaker: { failure_rate: 2 } }]\n",
         "1:54: providers[0].retry.attempts: expected a whole number from 1 to 20, not \"0\"\n"
         "providers.yaml:1:84: providers[0].breaker.failure_rate: expected a number from 0.01 to 1, not "
         "\"2\""},
        {"providers: [{ name: a, plugin: p, prompt_variant: long }]\n",
         "1:51: providers[0].prompt_variant: expected one of auto, detailed, short, gemini, not \"long\""},
        {"providers: [{ name: a, plugin: p, temperature: 2.5 }]\n",
         "1:48: providers[0].temperature: expected a number from 0 to 2, not \"2.5\""},
        {"providers: [{ name: a, plugin: p, max_tokens: \"" + std::string(50, '9') + "\" }]\n",
         "1:47: providers[0].max_tokens: expected a whole number from 1 to 100000000, not \"" +
             std::string(40, '9') + "...\""},
    };
    for (const Broken& b : cases)
        EXPECT_EQ(problemOf(parseProviders(b.text)), "providers.yaml:" + b.problem) << b.text;
}

TEST(Broken, ProblemsOfBothFilesAndTheEnvironmentComeTogetherInOrder) {
    const auto c = parseBoth("queue: { workers: x }\nlgo: {}\n",
                             "providers:\n  - { name: a, plugin: p, limts: {} }\n  - { name: b, plugn: p }\n",
                             {{"A_RPM", "x"}, {"LOG_LEVEL", "x"}});
    EXPECT_EQ(problemOf(c),
              "stepper.yaml:1:19: queue.workers: expected a whole number from 0 to 4096, not \"x\"\n"
              "stepper.yaml:2:1: lgo: unknown key; did you mean \"log\"?\n"
              "providers.yaml:2:27: providers[0].limts: unknown key; did you mean \"limits\"?\n"
              "providers.yaml:3:5: providers[1]: the key \"plugin\" is missing\n"
              "providers.yaml:3:16: providers[1].plugn: unknown key; did you mean \"plugin\"?\n"
              "environment variable LOG_LEVEL: log.level: expected one of trace, debug, info, warn, error, "
              "off, fatal, silent, not \"x\"\n"
              "environment variable A_RPM: providers[0].limits.rpm: expected a whole number from 1 to "
              "1000000000000, "
              "not \"x\"");
}

TEST(Broken, AtMostTwentyAreShown) {
    std::string text;
    for (int i = 0; i < 30; ++i) text += "unknown_" + std::to_string(i) + ": 1\n";
    const std::string problem = problemOf(parseSettings(text));
    EXPECT_EQ(std::count(problem.begin(), problem.end(), '\n'), 20);
    EXPECT_THAT(problem, testing::EndsWith("\nand 10 more"));
}

TEST(Broken, EndlessNestingEnds) {
    for (const char* opening : {"[", "{a: ", "- "})
        EXPECT_THAT(problemOf(parseSettings(repeated(opening, 100'000))),
                    testing::HasSubstr("nested deeper than 32 levels"))
            << opening;
}

TEST(Broken, AnAnchorBombEnds) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 20; ++i) {
        const std::string alias = fmt::format("*a{}", i - 1);
        text += fmt::format("a{0}: &a{0} [{1}{2}]\n", i, repeated(alias + ", ", 8), alias);
    }
    EXPECT_THAT(problemOf(parseSettings(text)), testing::HasSubstr("holds too much"));
}

TEST(Broken, ALargeScalarRepeatedByAliasesEnds) {
    const std::string text =
        "a: &a " + std::string(1u << 20, 'x') + "\nb: [" + repeated("*a, ", 1000) + "*a]\n";
    EXPECT_THAT(problemOf(parseSettings(text)), testing::HasSubstr("holds too much"));
}

TEST(Broken, NoSecretIsShown) {
    const Environment env = {
        {"TOKEN", "sk-secret"}, {"REDIS_URL", "sk-secret"}, {"ONE_API_KEY", "sk-secret\n1"}};
    const auto c = parseBoth(
        "queue: { workers: ${TOKEN} }\nwebhooks: { api_url: ${TOKEN} }\n",
        "providers: [{ name: one, plugin: p, base_url: sk-secret, limits: { rpm: ${TOKEN} } }]\n", env);
    EXPECT_THAT(problemOf(c), testing::Not(testing::HasSubstr("sk-secret")));
    EXPECT_THAT(problemOf(c), testing::HasSubstr("not \"${TOKEN}\""));
}

}  // namespace
}  // namespace stepper::config
