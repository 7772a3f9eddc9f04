// The typed configuration: what stepper.yaml, providers.yaml and the environment say, checked and immutable.
//
// Key names are those of the YAML. Each value knows nothing of YAML; `Mark`s keep the place for later
// messages. What wins, per key: the environment's override, the provider's own block, `provider_defaults:`,
// `defaults:`, the values written here. Mappings (limits, retry, breaker) merge key by key; lists replace; a
// key written as null is as if written nowhere. A Config is a value: immutable once loaded, safe to read from
// any thread.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/trusted_proxies.h"

namespace stepper::config {

// Where something was written. Lines and columns (bytes) count from 1. Line 0: not in a file, and `file` says
// where, such as "environment variable PORT".
struct Mark {
    std::string file;
    int line = 0;
    int column = 0;
};
// "providers.yaml:12:5"
std::string describe(const Mark& m);

// A key of a provider. Not printable by accident: there is no conversion to text but reveal().
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    bool empty() const { return value_.empty(); }
    const std::string& reveal() const { return value_; }
    bool operator==(const Secret&) const = default;

private:
    std::string value_;
};

struct Server {
    std::string host = "127.0.0.1";
    uint16_t port = 3001;  // 0: any free port
    // What a keyless API is served under, beside the names of this machine: plainHost()s, "*.example.com" for
    // all below it, "*" for any.
    std::vector<std::string> hosts;
    int max_connections = 4096;
    uint64_t max_body = 10u << 20;
    uint64_t body_memory = 256u << 20;
    milliseconds drain_timeout{30'000};
    milliseconds keep_alive{75'000};  // how long idle connections are promised to stay; 0: they end at once
};

// A quota: never more than `requests` (or `tokens`) in any stretch of `per`.
struct Window {
    std::optional<int64_t> requests;
    std::optional<int64_t> tokens;
    milliseconds per{0};
    bool operator==(const Window&) const = default;
};

struct Limits {
    std::optional<double> rps;
    std::optional<int64_t> rpm, rpd, tpm, tpd;
    std::vector<Window> windows;
    std::string day_resets_in = "UTC";  // IANA time zone
    // How much longer a window counts than it says, for what the way to the provider varies by, where no
    // answer begins sooner. None: one percent of the window, at least 50 ms and at most 500 ms.
    std::optional<milliseconds> skew;
};

// What a million tokens cost, in whatever currency the file uses throughout.
struct Price {
    double input = 0, output = 0;
    bool operator==(const Price&) const = default;
};

// In which order the providers of a request are tried.
enum class Plan {
    Manual,         // as configured
    FastestFirst,   // by measured latency
    CheapestFirst,  // by price; those without one last
};

struct Retry {
    int attempts = 2;
    milliseconds base{250}, cap{2'000};  // base <= cap
};

struct Breaker {
    milliseconds window{60'000};
    int min_calls = 10;
    double failure_rate = 0.5;
    int consecutive = 5;
    milliseconds open_for{15'000}, max_open_for{300'000};  // open_for <= max_open_for
    int probes = 2;
};

// What becomes of a job that no provider would answer.
enum class JobFailure { Fallback, Fail };

// Which wording of the commit-report prompt a provider gets; Auto asks the plugin kind and the model name.
enum class PromptVariant { Auto, Detailed, Short, Gemini };

// Where the provider's plugin runs.
enum class Isolation {
    None,     // in this process
    Process,  // in one of its own: a crash, hang or leak of the plugin is then that one's
};

struct Provider {
    std::string name;    // [a-z0-9-]{1,64}, unique
    std::string plugin;  // kind of a plugin
    bool enabled = true;
    std::string disabled_reason;      // set when !enabled: why, and what would enable it
    std::string base_url;             // http or https, no slash at the end; never empty when enabled
    std::string model;                // may be empty
    std::vector<std::string> models;  // others that requests may name
    std::vector<Secret> api_keys;     // used in turn; none empty, no two the same
    std::optional<Secret> proxy;  // none: as the environment says; empty: none at all; else the URL of one
    milliseconds timeout{60'000}, connect_timeout{10'000}, first_byte_timeout{15'000}, idle_timeout{30'000};
    int concurrency = 2;
    uint64_t max_response_bytes = 8u << 20;
    bool stream =
        true;  // ask for streamed answers where the plugin can, so that first_byte_timeout means something
    Limits limits;
    Retry retry;
    Breaker breaker;
    milliseconds wait_up_to{0};
    milliseconds probe_every{0}, keep_warm{0};  // 0: never
    PromptVariant prompt_variant = PromptVariant::Auto;
    Isolation isolation = Isolation::None;
    std::optional<Price> price;
    std::optional<double> temperature;  // 0..2; the default when a request names none, as is `system`
    std::string system;                 // "" for none
    std::optional<int64_t> max_tokens;  // shown as maxTokens; the default when a request names none
    std::string options_json = "{}";    // plugin-specific, an object
    std::string options_shown = "{}";   // the same with ${...} as written: what it stands for may be secret
    Mark mark;
};

struct Cache {
    milliseconds ttl{3'600'000}, fresh_for{2'700'000};  // fresh_for <= ttl
    bool stale_while_revalidate = true;
    std::string reports_delivery = "once", generate_delivery = "keep";
};

struct Queue {
    int workers = 64;  // 0: jobs are accepted, and run by nobody here
    milliseconds retention{3'600'000};
    milliseconds retention_failed{604'800'000};  // of jobs that failed; not less than `retention`
    milliseconds lease{60'000}, max_wait{86'400'000};
    int max_attempts = 5;
    int max_calls = 6;  // of a job, that tell of its request
};

struct Batch {
    int max_items = 100, max_concurrency = 5;
    int max_running = 4;  // so many batches at full concurrency: max_running * max_concurrency items at once
};

struct Cors {
    bool enabled = true;
    std::vector<std::string> allowed_origins;
    bool allow_credentials = false;
};

struct RateLimit {
    bool enabled = false;
    milliseconds window{900'000};
    int max_requests = 100, max_per_user = 50;
    bool skip_health = true;
};

struct Security {
    bool api_key_enabled = false;  // true when a key is configured, unless API_KEY_ENABLED says otherwise
    Secret api_key;
    std::string api_key_header = "x-api-key";
    bool api_key_skip_health = true;
    Secret admin_key;  // of /admin; without one the server makes its own, see app/admin_token.h
    bool security_headers = true;
    TrustedProxies trust_proxy;  // whose X-Forwarded-For is believed
    Cors cors;
    RateLimit rate_limit;
    bool redact = true;
};

struct Webhooks {
    bool enabled = true;
    Secret secret;
    std::vector<std::string> allowed_origins;
    std::string api_url;
    int max_retries = 3;
    milliseconds retry_delay{5'000};
};

struct Log {
    std::string level = "info";   // trace debug info warn error off
    std::string format = "json";  // json | text
};

// Which files may become plugins, and what is remembered of them.
struct Plugins {
    bool require_sha256 = false;  // true: a file without a hash in `sha256` is refused
    std::map<std::string, std::vector<std::string>> sha256;  // file name without .so: the hashes it may have
    std::filesystem::path state_dir;                         // absolute; empty: see plugin/ledger.h
};

struct Config {
    Server server;
    std::string providers_file = "providers.yaml";  // as written: relative to the file that names it
    std::filesystem::path plugins_dir;  // absolute; empty: the build's or the install's plugin folder
    Plugins plugins;
    std::string store_url = "sqlite:var/stepper.db";  // once loaded, SQLite's path is absolute
    std::string store_key_prefix = "stepper";         // without the colon behind it
    std::string store_durability = "full";            // full | normal
    Cache cache;
    Queue queue;
    Batch batch;
    bool fallback_enabled = true;
    bool fallback_when_limited = false;  // also for requests that would have to wait for quotas
    JobFailure fallback_jobs = JobFailure::Fallback;
    Security security;
    Webhooks webhooks;
    Log log;
    Plan plan = Plan::Manual;                  // of requests that name none
    std::vector<Provider> providers;           // in the order they are tried
    std::vector<std::string> warnings;         // complete sentences, for the log
    std::vector<std::filesystem::path> files;  // what load() read, for whoever watches them
};

// The environment, as a value, so that tests bring their own.
using Environment = std::map<std::string, std::string, std::less<>>;
Environment processEnvironment();

// Reads stepper.yaml and the providers file it names. Config errors carry "file:line:column: key: problem"
// and the closest valid name; several (at most 20) come together, one a line, in the order of the files.
// None of these functions throws or prints a secret. `files` (may be null) gets what it tried to read, also
// when it fails.
Result<Config> load(const std::filesystem::path& stepper_yaml, const Environment& env,
                    std::vector<std::filesystem::path>* files = nullptr);

// What stepper.yaml alone says, for who only wants to reach the server that it describes: no providers, whose
// file may be broken or unreadable meanwhile.
Result<Config> loadSettings(const std::filesystem::path& stepper_yaml, const Environment& env);

// load() from texts, for tests and for the defaults built into the program. `base_dir` resolves relative
// paths; empty: the working directory.
struct Sources {
    std::string stepper_yaml, stepper_name = "stepper.yaml";
    std::string providers_yaml, providers_name = "providers.yaml";
    std::filesystem::path base_dir;
};
Result<Config> parse(const Sources& sources, const Environment& env);

}  // namespace stepper::config
