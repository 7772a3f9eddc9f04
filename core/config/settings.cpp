#include "core/config/settings.h"

#include <chrono>

#include "core/config/formats.h"

namespace stepper::config {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kMillion = 1'000'000;
constexpr milliseconds kYear = 24h * 365;

constexpr Special<std::string> kText{"a text", read::text};
constexpr Special<Secret> kSecret{"a text", read::secret};
constexpr Special<std::string> kUrl{"http:// or https://, or empty", read::url};
constexpr Special<std::filesystem::path> kFolder{"a folder", format::directory};

struct StoreAddress : Special<std::string> {
    StoreAddress() : Special{"sqlite:PATH or memory:", format::storeUrl} {}
    json::Value show(const std::string& url, const View& view) const {
        return view.of(view.masked() ? shownUrl(url) : url);
    }
};

// An address and a port in one, which Server has, and shows, as two.
Setting<Server> listen() {
    return {
        {.path = "listen",
         .type = "an address and a port",
         .help = "HOST:PORT; port 0 takes any free one",
         .restart = true},
        format::listen,
        {},
        [](const Server& a, const Server& b) { return std::tie(a.host, a.port) == std::tie(b.host, b.port); },
        [](Server& to, const Server& from) { std::tie(to.host, to.port) = std::tie(from.host, from.port); },
        [](const Server& s) { return s.host + ":" + std::to_string(s.port); }};
}

Settings<Server> server() {
    return {
        listen(),
        setting("host", &Server::host, Special<std::string>{"a name or an address", format::host},
                "wins over the one in listen", from("HOST"), kInstead, kAfterRestart),
        setting("port", &Server::port, Integer{0, 65535}, "wins over the one in listen", from("PORT"),
                kInstead, kAfterRestart),
        setting("hosts", &Server::hosts, Special<std::vector<std::string>>{"a list of names", format::hosts},
                "that URLs may name where no API key is asked for; \"*\": any", from("STEPPER_HOSTS")),
        setting("max_connections", &Server::max_connections, Integer{1, kMillion},
                "then the longest idle one makes room; when none is idle, new ones get 503", kAfterRestart),
        setting("max_body", &Server::max_body, Size{1024, 1u << 30}, "of a request; larger is 413",
                kAfterRestart),
        setting("body_memory", &Server::body_memory, Size{1u << 20, uint64_t{1} << 40},
                "of all requests and answers on their way at a time; beyond it 503 with Retry-After",
                kAfterRestart),
        setting("drain_timeout", &Server::drain_timeout, Duration{0ms, 1h},
                "how long running work may finish after SIGTERM"),
        setting("keep_alive", &Server::keep_alive, Duration{0ms, 1h},
                "how long idle connections stay: longer than balancers keep theirs (60s); 0: not at all",
                kAfterRestart),
    };
}

Settings<Plugins> plugins() {
    using Hashes = decltype(Plugins::sha256);
    return {
        setting("require_sha256", &Plugins::require_sha256, Flag{},
                "true: only files whose hash is listed below"),
        setting("sha256", &Plugins::sha256, Special<Hashes>{"names with hashes", format::hashes},
                "{ gemini: 64 hexadecimal digits, or a list of such }, by file name without .so"),
        setting("state_dir", &Plugins::state_dir, kFolder,
                "private copies, what is known of them, admin-token; default: beside the store", kInstead,
                kAfterRestart),
    };
}

Settings<Config> store() {
    return {
        setting("store.url", &Config::store_url, StoreAddress{},
                "of jobs, answers and usage: sqlite:PATH, or memory:", from("REDIS_URL"), kAfterRestart),
        setting("store.durability", &Config::store_durability, OneOf{{"full", "normal"}},
                "normal: quicker, but loss of power may take the last moments", kAfterRestart),
        setting("store.key_prefix", &Config::store_key_prefix,
                Special<std::string>{"a text", format::keyPrefix},
                "without effect: this version has no Redis store", from("REDIS_KEY_PREFIX"), kAfterRestart),
    };
}

Settings<Cache> cache() {
    const OneOf moments{{"once", "keep"}};
    return {
        setting("ttl", &Cache::ttl, Duration{1s, kYear}, "an answer is kept this long",
                from("CACHE_TTL_SECONDS", "s")),
        setting("fresh_for", &Cache::fresh_for, Duration{0ms, kYear},
                "then served as stale while one refresh runs; at most ttl",
                from("CACHE_STALE_THRESHOLD", "s")),
        setting("stale_while_revalidate", &Cache::stale_while_revalidate, Flag{},
                "false: a stale answer counts as none", from("CACHE_STALE_WHILE_REVALIDATE"), kAfterRestart),
        setting("delivery.reports", &Cache::reports_delivery, moments,
                "once: forgotten when written to a client; keep: until ttl"),
        setting("delivery.generate", &Cache::generate_delivery, moments, "likewise"),
    };
}

Settings<Queue> queue() {
    return {
        setting("workers", &Queue::workers, Integer{0, 4096},
                "jobs running at once; 0: none, they are accepted and wait", from("QUEUE_CONCURRENCY"),
                kAfterRestart),
        setting("retention", &Queue::retention, Duration{1s, kYear},
                "how long a finished job can be asked for"),
        setting("retention_failed", &Queue::retention_failed, Duration{1s, kYear},
                "likewise, of one that failed; at least as long as retention"),
        setting("lease", &Queue::lease, Duration{1s, 1h},
                "a job whose worker is silent this long is given to another", kAfterRestart),
        setting("max_attempts", &Queue::max_attempts, Integer{1, 100}, "then it has failed"),
        setting("max_calls", &Queue::max_calls, Integer{1, 1'000},
                "likewise, of calls that brought a bad answer or a refusal"),
        setting("max_wait", &Queue::max_wait, Duration{1s, kYear},
                "a job that nobody could serve for so long has failed, or gets the fallback"),
    };
}

Settings<Batch> batch() {
    return {
        setting("max_items", &Batch::max_items, Integer{1, 100'000}, "per request", from("BATCH_MAX_ITEMS")),
        setting("max_concurrency", &Batch::max_concurrency, Integer{1, 1024},
                "items of one batch running at once", from("BATCH_MAX_CONCURRENCY"), kAfterRestart),
        setting("max_running", &Batch::max_running, Integer{1, 1024},
                "batches at that concurrency; more share the workers", from("BATCH_QUEUE_CONCURRENCY"),
                kAfterRestart),
    };
}

Settings<Config> fallback() {
    const Choice<JobFailure> ends{{{"fallback", JobFailure::Fallback}, {"fail", JobFailure::Fail}}};
    return {
        setting("fallback.enabled", &Config::fallback_enabled, Flag{},
                "a template answer when every provider failed", from("FALLBACK_ENABLED")),
        setting("fallback.when_limited", &Config::fallback_when_limited, Flag{},
                "true: also when all are rate limited, instead of a 429 with Retry-After"),
        setting("fallback.jobs", &Config::fallback_jobs, ends,
                "fail: a job that no provider would answer fails instead"),
    };
}

constexpr Special<std::vector<std::string>> kOrigins{"a list of origins", format::origins};

Settings<Cors> cors() {
    return {
        setting("enabled", &Cors::enabled, Flag{}, "false: as if the next were empty", from("CORS_ENABLED")),
        setting("allowed_origins", &Cors::allowed_origins, kOrigins,
                "[https://app.example.com], as browsers send them; or \"*\"", from("CORS_ALLOWED_ORIGINS")),
        setting("allow_credentials", &Cors::allow_credentials, Flag{}, "not with \"*\"",
                from("CORS_ALLOW_CREDENTIALS")),
    };
}

Settings<RateLimit> rateLimit() {
    return {
        setting("enabled", &RateLimit::enabled, Flag{}, "of clients; without effect: do so in front of it"),
        setting("window", &RateLimit::window, Duration{1ms, 24h * 7}, "without effect, as the others here"),
        setting("max_requests", &RateLimit::max_requests, Integer{1, kMillion}, "per address and window"),
        setting("max_per_user", &RateLimit::max_per_user, Integer{1, kMillion}, "per user and window"),
        setting("skip_health", &RateLimit::skip_health, Flag{}, "/, /health and /metrics do not count"),
    };
}

Settings<Security> security() {
    return joined<Security>({
        {setting("api_key", &Security::api_key, kSecret, "what clients send; empty: no key is asked for",
                 from("STEPPER_API_KEY")),
         // Beside a key that is added later, a false that was only copied would leave the door open.
         setting("api_key_enabled", &Security::api_key_enabled, Flag{}, "default: true when there is a key",
                 from("API_KEY_ENABLED"), shownAt(-1), kInstead),
         setting("api_key_header", &Security::api_key_header,
                 Special<std::string>{"a header's name", format::headerName}, "where clients send it",
                 from("API_KEY_HEADER")),
         setting("api_key_skip_health", &Security::api_key_skip_health, Flag{},
                 "/, /health and /metrics need no key", from("API_KEY_SKIP_HEALTH")),
         setting("admin_key", &Security::admin_key, kSecret,
                 "for /admin; empty: the one in admin-token, beside the store", from("STEPPER_ADMIN_KEY")),
         setting("security_headers", &Security::security_headers, Flag{},
                 "those that keep browsers from harm", from("HELMET_ENABLED"), kAfterRestart),
         setting(
             "trust_proxy", &Security::trust_proxy,
             Special<TrustedProxies>{"true, false, a number, or a list of networks", format::trustedProxies},
             "whose X-Forwarded-For is believed: how many proxies stand in front (1), or their addresses, "
             "10.0.0.0/8, loopback, linklocal, uniquelocal; true: anybody's",
             from("TRUST_PROXY"), kAfterRestart)},
        section("cors", &Security::cors, cors()),
        section("rate_limit", &Security::rate_limit, rateLimit()),
        {setting("redact", &Security::redact, Flag{}, "mask secrets in prompts before they are sent",
                 from("REDACT_BEFORE_SEND"))},
    });
}

Settings<Webhooks> webhooks() {
    const Special<std::vector<std::string>> words{"a list of texts", read::words};
    return {
        setting("enabled", &Webhooks::enabled, Flag{},
                "without effect, as all here: this version sends none"),
        setting("secret", &Webhooks::secret, kSecret, "signs what is sent (HMAC-SHA256)"),
        setting("allowed_origins", &Webhooks::allowed_origins, words, "callbacks go to these and to api_url"),
        setting("api_url", &Webhooks::api_url, kUrl, "the service that completions are forwarded to"),
        setting("max_retries", &Webhooks::max_retries, Integer{0, 100}, "of one that failed"),
        setting("retry_delay", &Webhooks::retry_delay, Duration{0ms, 24h}, "before each of them"),
    };
}

Settings<Log> log() {
    // `fatal` and `silent` are the words of a logger that has no `off`; nothing here is graver than an error.
    const Choice<std::string> levels{{{"trace", "trace"},
                                      {"debug", "debug"},
                                      {"info", "info"},
                                      {"warn", "warn"},
                                      {"error", "error"},
                                      {"off", "off"},
                                      {"fatal", "error"},
                                      {"silent", "off"}}};
    return {
        setting("level", &Log::level, levels,
                "trace, debug, info, warn, error, off (fatal: error; silent: off)", from("LOG_LEVEL")),
        setting("format", &Log::format, OneOf{{"json", "text"}}, "json, text", kAfterRestart),
    };
}

// Which file it is says nothing of what it says, so it is neither shown nor told.
Setting<Config> providersFile() {
    auto row = setting("providers_file", &Config::providers_file, kText, "relative to this file");
    row.show = nullptr;
    return row;
}

// readProviders() reads them.
Setting<Config> providerDefaults() {
    return {{.path = "provider_defaults",
             .type = "a mapping",
             .help = "keys as in `defaults` of the providers' file, and before them",
             .instead = true},
            [](const Value&, Config&) {},
            {},
            {},
            {},
            [](const Config&) { return std::string("{}"); }};
}

}  // namespace

const Settings<Config>& settings() {
    static const auto& all = *new Settings<Config>(joined<Config>({
        section("server", &Config::server, server()),
        {providersFile(), providerDefaults(),
         setting("plugins_dir", &Config::plugins_dir, kFolder,
                 "every *.so directly inside; default: those of the build or the installation", kInstead)},
        section("plugins", &Config::plugins, plugins()),
        store(),
        section("cache", &Config::cache, cache()),
        section("queue", &Config::queue, queue()),
        section("batch", &Config::batch, batch()),
        fallback(),
        section("security", &Config::security, security()),
        section("webhooks", &Config::webhooks, webhooks()),
        section("log", &Config::log, log()),
    }));
    return all;
}

const Settings<Config>& catalogueSettings() {
    static const auto& all = *new Settings<Config>{
        setting("plan", &Config::plan,
                Choice<Plan>{{{"manual", Plan::Manual},
                              {"fastest-first", Plan::FastestFirst},
                              {"cheapest-first", Plan::CheapestFirst}}},
                "the order to try the providers in: as written, by measured latency, or by price")};
    return all;
}

}  // namespace stepper::config
