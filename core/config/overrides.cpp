#include "core/config/overrides.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/text.h"
#include "core/config/settings.h"

namespace stepper::config {
namespace {

constexpr std::string_view kHost = "HOST", kRedisUrl = "REDIS_URL";

// Of the provider of that name that speaks OpenAI's format: the headers OpenRouter lists its callers by.
constexpr std::string_view kOpenRouter = "openrouter", kOpenAiFormat = "openai-compatible";
constexpr std::pair<const char*, const char*> kOpenRouterHeaders[] = {
    {"REFERER", "options.extra_headers.HTTP-Referer"}, {"TITLE", "options.extra_headers.X-Title"}};

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

void apply(std::string_view variable, std::string_view unit, std::string_view key, const Environment& env,
           Node& tree) {
    const std::string* value = findSet(env, variable);
    if (!value || isForeignHost(variable, trim(*value)) || isRedis(variable, trim(*value))) return;
    Node n;
    n.kind = Node::Kind::Scalar;
    n.mark.file = fmt::format("environment variable {}", variable);
    n.text = trim(*value);
    if (isBareNumber(n.text)) n.text += unit;
    n.literal = n.quoted = true;
    put(tree, key, std::move(n));
}

template <class T>
void applyService(Rows<T> rows, const Environment& env, Node& tree) {
    for (const Setting<T>& row : rows)
        if (row.variable.of == Variable::Of::Service)
            apply(row.variable.name, row.variable.unit, row.path, env, tree);
}

bool isServiceWide(std::string_view variable) {
    return std::ranges::any_of(settings(), [&](const auto& row) { return row.variable.name == variable; }) ||
           std::ranges::any_of(kUnused, [&](const auto& unused) { return unused.variable == variable; });
}

// A provider called "cors" does not get to hear of CORS_ENABLED.
void applyOwn(std::string_view name, std::string_view suffix, std::string_view unit, std::string_view key,
              const Environment& env, Node& provider) {
    const std::string variable = providerVariable(name, suffix);
    if (!isServiceWide(variable)) apply(variable, unit, key, env, provider);
}

void applyAll(Variable::Of of, std::string_view name, const Environment& env, Node& provider) {
    for (const auto& row : providerSettings())
        if (row.variable.of == of)
            applyOwn(name, row.variable.name, row.variable.unit, row.path, env, provider);
}

// What whoever called `name` shares with others behind one account. Who says how many a second does not mean
// the so many a minute that a block or the defaults say.
void applyShared(std::string_view name, const Environment& env, Node& provider) {
    if (findSet(env, providerVariable(name, "RPS"))) put(provider, "limits.rpm", Node());
    applyAll(Variable::Of::Account, name, env, provider);
}

}  // namespace

void overrideSettings(Node& tree, const Environment& env) { applyService<Config>(settings(), env, tree); }

void overrideProvider(Node& provider, std::string_view name, const Environment& env) {
    applyService(providerSettings(), env, provider);
    if (const auto account = accountOf(name); !account.empty()) applyShared(account, env, provider);
    applyShared(name, env, provider);
    applyAll(Variable::Of::Provider, name, env, provider);
    const Node* plugin = provider.find("plugin");
    if (name == kOpenRouter && plugin && plugin->text == kOpenAiFormat)
        for (const auto& [suffix, key] : kOpenRouterHeaders) applyOwn(name, suffix, "", key, env, provider);
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
