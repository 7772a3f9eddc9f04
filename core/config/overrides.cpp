#include "core/config/overrides.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/text.h"

namespace stepper::config {
namespace {

struct Override {
    std::string_view variable;
    std::string_view key;
    std::string_view unit = {};  // of a bare number
};

constexpr std::string_view kHost = "HOST", kRedisUrl = "REDIS_URL";

constexpr Override kSettings[] = {
    {kHost, "server.host"},
    {"PORT", "server.port"},
    {"STEPPER_HOSTS", "server.hosts"},
    {kRedisUrl, "store.url"},
    {"REDIS_KEY_PREFIX", "store.key_prefix"},
    {"QUEUE_CONCURRENCY", "queue.workers"},
    {"BATCH_QUEUE_CONCURRENCY", "batch.max_running"},
    {"BATCH_MAX_ITEMS", "batch.max_items"},
    {"BATCH_MAX_CONCURRENCY", "batch.max_concurrency"},
    {"CACHE_TTL_SECONDS", "cache.ttl", "s"},
    {"CACHE_STALE_THRESHOLD", "cache.fresh_for", "s"},
    {"CACHE_STALE_WHILE_REVALIDATE", "cache.stale_while_revalidate"},
    {"FALLBACK_ENABLED", "fallback.enabled"},
    {"REDACT_BEFORE_SEND", "security.redact"},
    {"CORS_ENABLED", "security.cors.enabled"},
    {"CORS_ALLOWED_ORIGINS", "security.cors.allowed_origins"},
    {"CORS_ALLOW_CREDENTIALS", "security.cors.allow_credentials"},
    {"HELMET_ENABLED", "security.security_headers"},
    {"API_KEY_ENABLED", "security.api_key_enabled"},
    {"API_KEY_HEADER", "security.api_key_header"},
    {"API_KEY_SKIP_HEALTH", "security.api_key_skip_health"},
    {"STEPPER_API_KEY", "security.api_key"},
    {"STEPPER_ADMIN_KEY", "security.admin_key"},
    {"TRUST_PROXY", "security.trust_proxy"},
    {"LOG_LEVEL", "log.level"},
};

constexpr Override kEveryProvider[] = {
    {"RETRY_MAX_ATTEMPTS", "retry.attempts"},
    {"RETRY_BASE_DELAY_MS", "retry.base", "ms"},
    {"CIRCUIT_FAILURE_THRESHOLD", "breaker.consecutive"},
    {"CIRCUIT_FAILURE_THRESHOLD", "breaker.min_calls"},
    {"CIRCUIT_WINDOW_SECONDS", "breaker.window", "s"},
    {"CIRCUIT_COOLDOWN_SECONDS", "breaker.open_for", "s"},
};

// After the provider's own name.
constexpr Override kOneProvider[] = {{"ENABLED", "enabled"}, {"API_KEY", "api_key"}, {"MODEL", "model"}};

// After its own name or that of its account.
constexpr Override kOneAccount[] = {{"BASE_URL", "base_url"},
                                    {"TIMEOUT", "timeout", "ms"},
                                    {"RPS", "limits.rps"},
                                    {"RPM", "limits.rpm"},
                                    {"CONCURRENCY", "concurrency"}};

// Of the provider of that name that speaks OpenAI's format: the headers OpenRouter lists its callers by.
constexpr std::string_view kOpenRouter = "openrouter", kOpenAiFormat = "openai-compatible";
constexpr Override kOpenRouterHeaders[] = {{"REFERER", "options.extra_headers.HTTP-Referer"},
                                           {"TITLE", "options.extra_headers.X-Title"}};

struct Lane {
    std::string_view name, account;
};
constexpr Lane kLanes[] = {{"nvidia-llama", "nvidia"}, {"nvidia-dracarys", "nvidia"}};

struct Unused {
    std::string_view variable;
    std::string_view word;  // the end of a sentence: why, or what does it instead
};

constexpr std::string_view kWebhooks = "this version sends no webhooks", kOneQueue = "a store has one queue",
                           kRedis = "this version has no Redis store",
                           kWhenLimited = "fallback.when_limited decides",
                           kClients = "this version does not limit clients; do so in front of it";

// csh and conda's compilers export it as the name of the machine or of its kind; some machines are called
// localhost.localdomain.
bool isForeignHost(std::string_view variable, std::string_view value) {
    return variable == kHost && plainHost(value) && !plainAddress(value) && lower(value) != "localhost";
}

// Not the URL that a store of ours may have.
bool isRedis(std::string_view variable, std::string_view value) {
    return variable == kRedisUrl && (value.starts_with("redis://") || value.starts_with("rediss://"));
}

constexpr Unused kUnused[] = {
    {"STEPPER_PORT", "PORT sets the port"},
    {"NODE_ENV", "there are no modes; every setting has its own key"},
    {"METRICS_PORT", "/metrics is served on the port of everything else"},
    {"QUEUE_NAME", kOneQueue},
    {"BATCH_QUEUE_NAME", kOneQueue},
    {"REDIS_KEY_PREFIX", kRedis},
    {"RETRY_MAX_JITTER_MS", "waits before a retry always vary"},
    {"RETRY_RATE_LIMIT_FALLBACK", kWhenLimited},
    {"RETRY_RATE_LIMIT_STRATEGY", kWhenLimited},
    {"RATE_LIMIT_ENABLED", kClients},
    {"RATE_LIMIT_WINDOW_MS", kClients},
    {"RATE_LIMIT_MAX_REQUESTS", kClients},
    {"RATE_LIMIT_MAX_PER_USER", kClients},
    {"RATE_LIMIT_SKIP_HEALTH", kClients},
    {"WEBHOOK_ENABLED", kWebhooks},
    {"WEBHOOK_SECRET", kWebhooks},
    {"WEBHOOK_MAX_RETRIES", kWebhooks},
    {"WEBHOOK_RETRY_DELAY_MS", kWebhooks},
    {"API_URL", kWebhooks},
    {"CALLBACK_ALLOWED_ORIGINS", kWebhooks},
    {"DISCORD_WEBHOOK_URL", "alerts are in the log and in /metrics"},
};

// nullptr when unset or empty.
const std::string* findSet(const Environment& env, std::string_view variable) {
    const auto it = env.find(variable);
    return it == env.end() || trim(it->second).empty() ? nullptr : &it->second;
}

bool isBareNumber(std::string_view s) { return s.find_first_not_of("0123456789.") == std::string_view::npos; }

void apply(const Override& o, std::string_view variable, const Environment& env, Node& tree) {
    const std::string* value = findSet(env, variable);
    if (!value || isForeignHost(variable, trim(*value)) || isRedis(variable, trim(*value))) return;
    Node n;
    n.kind = Node::Kind::Scalar;
    n.mark.file = fmt::format("environment variable {}", variable);
    n.text = trim(*value);
    if (isBareNumber(n.text)) n.text += o.unit;
    n.literal = n.quoted = true;
    put(tree, o.key, std::move(n));
}

bool isServiceWide(std::string_view variable) {
    const auto is_it = [&](const auto& known) { return known.variable == variable; };
    return std::ranges::any_of(kSettings, is_it) || std::ranges::any_of(kUnused, is_it);
}

void applyAll(std::span<const Override> all, std::string_view name, const Environment& env, Node& provider) {
    for (const Override& o : all) {
        const std::string variable = providerVariable(name, o.variable);
        // A provider called "cors" does not get to hear of CORS_ENABLED.
        if (!isServiceWide(variable)) apply(o, variable, env, provider);
    }
}

// What whoever called `name` shares with others behind one account. Who says how many a second does not mean
// the so many a minute that a block or the defaults say.
void applyShared(std::string_view name, const Environment& env, Node& provider) {
    if (findSet(env, providerVariable(name, "RPS"))) put(provider, "limits.rpm", Node());
    applyAll(kOneAccount, name, env, provider);
}

}  // namespace

void overrideSettings(Node& settings, const Environment& env) {
    for (const Override& o : kSettings) apply(o, o.variable, env, settings);
}

void overrideProvider(Node& provider, std::string_view name, const Environment& env) {
    for (const Override& o : kEveryProvider) apply(o, o.variable, env, provider);
    if (const auto account = accountOf(name); !account.empty()) applyShared(account, env, provider);
    applyShared(name, env, provider);
    applyAll(kOneProvider, name, env, provider);
    const Node* plugin = provider.find("plugin");
    if (name == kOpenRouter && plugin && plugin->text == kOpenAiFormat)
        applyAll(kOpenRouterHeaders, name, env, provider);
}

std::string_view accountOf(std::string_view name) {
    const auto it = std::ranges::find(kLanes, name, &Lane::name);
    return it == std::end(kLanes) ? std::string_view() : it->account;
}

std::string providerVariable(std::string_view name, std::string_view suffix) {
    std::string out = fmt::format("{}_{}", name, suffix);
    for (char& c : out) {
        if (c == '-') c = '_';
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

std::vector<std::string> unusedVariables(const Environment& env) {
    std::vector<std::string> out;
    const auto tell = [&out](std::string_view variable, std::string_view word) {
        out.push_back(
            fmt::format("environment variable {} is set but has no effect in Stepper: {}", variable, word));
    };
    for (const auto& [variable, word] : kUnused)
        if (findSet(env, variable)) tell(variable, word);
    if (const auto* url = findSet(env, kRedisUrl); url && isRedis(kRedisUrl, trim(*url)))
        tell(kRedisUrl, "this version has no Redis store; jobs and answers are kept where store.url says");
    if (const auto* host = findSet(env, kHost); host && isForeignHost(kHost, trim(*host)))
        tell(kHost, fmt::format("'{}' is no address to listen on, such as 0.0.0.0", trim(*host)));
    return out;
}

}  // namespace stepper::config
