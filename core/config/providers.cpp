#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/text.h"
#include "core/base/time_zone.h"
#include "core/config/base_url.h"
#include "core/config/expand.h"
#include "core/config/overrides.h"
#include "core/config/provider_key.h"
#include "core/config/sections.h"

namespace stepper::config {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds kShortestPause{10'000};
constexpr size_t kMostProviders = 256, kMostKeys = 64;
constexpr size_t kMostWindows = 16;
constexpr size_t kLongestZone = 64;  // longer words are no slips, and comparing them takes time
constexpr int64_t kMostPerWindow = 1'000'000'000'000;

enum class Switch { Auto, On, Off };

Read switchField(Switch& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (!s) return;
        const auto b = parseBoolean(trim(*s));
        if (b)
            out = *b ? Switch::On : Switch::Off;
        else if (equalsIgnoreCase(trim(*s), "auto"))
            out = Switch::Auto;
        else
            v.failExpected("auto, true or false");
    };
}

Read nameField(std::string& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (!s) return;
        const bool well_formed =
            !s->empty() && s->size() <= 64 && std::all_of(s->begin(), s->end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
            });
        if (!well_formed) return v.failExpected("1 to 64 characters of a-z, 0-9 and -");
        out = *s;
    };
}

Read zoneField(std::string& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (!s) return;
        if (TimeZone::find(*s)) {
            out = *s;
            return;
        }
        const auto names = TimeZone::names();
        if (names.empty()) return v.fail("the system has no time zones; install tzdata, or write UTC");
        if (!s->empty() && s->size() <= kLongestZone)
            if (const auto close = nearest(*s, names))
                return v.fail(fmt::format("unknown time zone; did you mean \"{}\"?", *close));
        v.failExpected("a time zone the system knows, such as UTC or America/Los_Angeles");
    };
}

// none, direct, or http://USER:PASSWORD@HOST:PORT. The text is not shown: it may hold a password.
Read proxyField(std::optional<Secret>& out) {
    return [&out](const Value& v) {
        const auto s = v.text(Value::Unset::IsEmpty);
        if (!s) return;
        const std::string_view text = trim(*s);
        if (text.empty()) return;
        if (equalsIgnoreCase(text, "none") || equalsIgnoreCase(text, "direct")) {
            out.emplace();
            return;
        }
        constexpr std::array kSchemes = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
        const size_t end = text.find("://");
        const std::string scheme = lower(text.substr(0, end));
        std::string_view rest = end == std::string_view::npos ? std::string_view() : text.substr(end + 3);
        if (rest.ends_with('/')) rest.remove_suffix(1);
        const size_t at = rest.rfind('@');
        if (at != std::string_view::npos && rest.substr(0, at).find_first_of("/?#") != std::string_view::npos)
            return v.fail("in a user name or password write / as %2F, ? as %3F and # as %23");
        const bool plain =
            std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
        const auto endpoint = parseEndpoint(at == std::string_view::npos ? rest : rest.substr(at + 1));
        if (!plain || !endpoint || endpoint->port == 0 ||
            std::find(kSchemes.begin(), kSchemes.end(), scheme) == kSchemes.end())
            return v.fail("expected http://HOST:PORT, https://, socks5:// or socks5h:// such, or none");
        out.emplace(std::string(text));
    };
}

bool isGiven(const Node& mapping, std::string_view key) {
    const Node* node = mapping.find(key);
    return node && node->kind != Node::Kind::Null;
}

Read windowsField(std::vector<Window>& out) {
    return [&out](const Value& v) {
        std::vector<Window> windows;
        read::list(kMostWindows, [&windows](const Value& item) {
            Window w;
            readMapping(item, {{"requests", read::integer(w.requests, 1, kMostPerWindow)},
                               {"tokens", read::integer(w.tokens, 1, kMostPerWindow)},
                               {"per", read::duration(w.per, 1ms, 24h * 366), true}});
            if (item.node.isMapping() && !isGiven(item.node, "requests") && !isGiven(item.node, "tokens"))
                item.fail("a window limits \"requests\", \"tokens\" or both");
            windows.push_back(w);
        })(v);
        out = std::move(windows);
    };
}

Read limitsSection(Limits& l) {
    return read::section({{"rps", read::number(l.rps, 0.001, 1e6)},
                          {"rpm", read::integer(l.rpm, 1, kMostPerWindow)},
                          {"rpd", read::integer(l.rpd, 1, kMostPerWindow)},
                          {"tpm", read::integer(l.tpm, 1, kMostPerWindow)},
                          {"tpd", read::integer(l.tpd, 1, kMostPerWindow)},
                          {"windows", windowsField(l.windows)},
                          {"day_resets_in", zoneField(l.day_resets_in)},
                          {"skew", read::duration(l.skew, 0ms, 1min)}});
}

Read priceSection(std::optional<Price>& out) {
    return [&out](const Value& v) {
        Price price;
        readMapping(v, {{"input", read::number(price.input, 0, 1e6), true},
                        {"output", read::number(price.output, 0, 1e6), true}});
        out = price;
    };
}

Read retrySection(Retry& r) {
    return read::section({{"attempts", read::integer(r.attempts, 1, 20)},
                          {"base", read::duration(r.base, 0ms, 10min)},
                          {"cap", read::duration(r.cap, 0ms, 1h)}});
}

Read breakerSection(Breaker& b) {
    return read::section({{"window", read::duration(b.window, 1s, 24h)},
                          {"min_calls", read::integer(b.min_calls, 1, 1'000'000)},
                          {"failure_rate", read::number(b.failure_rate, 0.01, 1.0)},
                          {"consecutive", read::integer(b.consecutive, 1, 1'000'000)},
                          {"open_for", read::duration(b.open_for, 1ms, 24h)},
                          {"max_open_for", read::duration(b.max_open_for, 1ms, 24h)},
                          {"probes", read::integer(b.probes, 1, 1000)}});
}

// Between two visits that nobody asked for; 0: none.
Read pauseField(milliseconds& out) {
    return [&out](const Value& v) {
        const auto pause = v.duration(0ms, 24h);
        if (!pause) return;
        if (*pause > 0ms && *pause < kShortestPause) return v.fail("expected 0s, or at least 10s");
        out = *pause;
    };
}

// What `defaults:` may hold as well.
Fields sharedFields(Provider& p) {
    return {{"proxy", proxyField(p.proxy)},
            {"timeout", read::duration(p.timeout, 1ms, 24h)},
            {"connect_timeout", read::duration(p.connect_timeout, 1ms, 1h)},
            {"first_byte_timeout", read::duration(p.first_byte_timeout, 1ms, 24h)},
            {"idle_timeout", read::duration(p.idle_timeout, 1ms, 24h)},
            {"concurrency", read::integer(p.concurrency, 1, 10'000)},
            {"max_response_bytes", read::bytes(p.max_response_bytes, 1024, 1u << 30)},
            {"stream", read::flag(p.stream)},
            {"limits", limitsSection(p.limits)},
            {"retry", retrySection(p.retry)},
            {"breaker", breakerSection(p.breaker)},
            {"wait_up_to", read::duration(p.wait_up_to, 0ms, 1h)},
            {"probe_every", pauseField(p.probe_every)},
            {"keep_warm", pauseField(p.keep_warm)},
            {"prompt_variant", read::choice(p.prompt_variant, {{"auto", PromptVariant::Auto},
                                                               {"detailed", PromptVariant::Detailed},
                                                               {"short", PromptVariant::Short},
                                                               {"gemini", PromptVariant::Gemini}})},
            {"isolation",
             read::choice(p.isolation, {{"none", Isolation::None}, {"process", Isolation::Process}})},
            {"price", priceSection(p.price)},
            {"temperature", read::number(p.temperature, 0, 2)},
            {"system", read::text(p.system)},
            {"max_tokens", read::integer(p.max_tokens, 1, 100'000'000)}};
}

// What a provider's block says beside the values that are taken as they are.
struct Wanted {
    Switch enabled = Switch::Auto;
    std::vector<Secret> key, keys;  // of `api_key`, and of `api_keys`
};

// What is wrong with a key is told, and where it was written. An empty one is none.
Read keyField(const Provider& p, std::vector<Secret>& out, std::vector<std::string>& warnings) {
    return [&p, &out, &warnings](const Value& v) {
        const auto warn = [&](std::string_view remark) {
            warnings.push_back(
                fmt::format("{}: provider {}: its api_key {}.", describe(v.node.mark), p.name, remark));
        };
        const auto written = v.text(Value::Unset::IsEmpty);
        if (!written) return;
        ProviderKey read = readProviderKey(*written);
        if (hasControlCharacter(read.key)) return v.fail("holds a line break or another control character");
        for (const auto& remark : read.remarks) warn(remark);
        Secret key(std::move(read.key));
        if (key.empty()) return;
        if (std::ranges::find(out, key) != out.end()) return warn("is in the list before; it counts once");
        out.push_back(std::move(key));
    };
}

Fields allFields(Provider& p, Wanted& wanted, std::vector<std::string>& warnings) {
    Fields fields = {{"name", nameField(p.name), true},
                     {"plugin", nameField(p.plugin), true},
                     {"enabled", switchField(wanted.enabled)},
                     {"base_url", read::url(p.base_url)},
                     {"model", read::text(p.model)},
                     {"models", read::words(p.models)},
                     {"api_key", keyField(p, wanted.key, warnings)},
                     {"api_keys", read::list(kMostKeys, keyField(p, wanted.keys, warnings))},
                     {"options", read::json(p.options_json, p.options_shown)}};
    Fields shared = sharedFields(p);
    std::move(shared.begin(), shared.end(), std::back_inserter(fields));
    return fields;
}

// The variable to set for this key of the provider: the one its block names, or the override's.
std::string variableFor(const Node& block, std::string_view key, const Provider& p, std::string_view suffix) {
    const Node* node = block.find(key);
    const std::string named = node && !node->literal ? firstVariable(node->text) : std::string();
    return named.empty() ? providerVariable(p.name, suffix) : named;
}

bool isInherited(const Node& block, std::string_view key) {
    const Node* node = block.find(key);
    return node && node->literal;
}

// A variable with the one key wins over a list, but for a list that has it: that is where it came from.
void decideKeys(const Value& block, Wanted& wanted, Provider& p) {
    const Node* several = block.node.find("api_keys");
    if (several && isGiven(block.node, "api_key") && !isInherited(block.node, "api_key"))
        block.at("api_keys", *several).fail("stands beside api_key; write one of the two");
    const bool in_list =
        !wanted.key.empty() && std::ranges::find(wanted.keys, wanted.key.front()) != wanted.keys.end();
    p.api_keys = std::move(wanted.key.empty() || in_list ? wanted.keys : wanted.key);
}

// The variable to set for a key: the first that the block names, or the override's.
std::string keyVariable(const Node& block, const Provider& p) {
    const Node* several = block.find("api_keys");
    if (several && !several->items.empty())
        if (std::string named = firstVariable(several->items.front().text); !named.empty()) return named;
    return variableFor(block, "api_key", p, "API_KEY");
}

// Settles p.enabled and its reason; `block` is complete with defaults and overrides.
void decideEnabled(const Value& block, Switch wanted, Provider& p, std::vector<std::string>& warnings) {
    const bool wants_key = block.node.find("api_key") || block.node.find("api_keys");
    const bool lacks_key = wants_key && p.api_keys.empty();
    const std::string key_variable = keyVariable(block.node, p);
    const std::string url_variable = variableFor(block.node, "base_url", p, "BASE_URL");
    if (wanted == Switch::Off) {
        p.disabled_reason =
            fmt::format("switched off ({}); set {}=true to switch it on",
                        describe(block.node.find("enabled")->mark), providerVariable(p.name, "ENABLED"));
    } else if (wanted == Switch::Auto && lacks_key) {
        p.disabled_reason = fmt::format("no API key: set {}", key_variable);
    } else if (wanted == Switch::Auto && p.base_url.empty()) {
        p.disabled_reason = fmt::format("no base_url: set {}", url_variable);
    } else if (p.base_url.empty()) {
        block.fail(fmt::format("is enabled but has no base_url; write one or set {}", url_variable));
    } else if (lacks_key) {
        warnings.push_back(
            fmt::format("Provider {} is enabled without an API key: set {} or remove api_key from its "
                        "block.",
                        p.name, key_variable));
    }
    p.enabled = p.disabled_reason.empty();
}

// Whoever lets a call take longer lets it be silent longer, too, unless the provider's own block says how
// long.
void lengthenSilence(const Node& own, const Node& block, Provider& p) {
    if (!isInherited(block, "timeout")) return;
    if (!isGiven(own, "first_byte_timeout")) p.first_byte_timeout = std::max(p.first_byte_timeout, p.timeout);
    if (!isGiven(own, "idle_timeout")) p.idle_timeout = std::max(p.idle_timeout, p.timeout);
}

// Of one that is off it is not told.
void mendBaseUrl(const Node& block, Provider& p, std::vector<std::string>& warnings) {
    if (p.base_url.empty()) return;
    BaseUrl read = readBaseUrl(p.name, p.plugin, p.base_url, isInherited(block, "base_url"));
    p.base_url = std::move(read.url);
    if (p.enabled && !read.remark.empty())
        warnings.push_back(fmt::format("{}: provider {}: its base_url {}.",
                                       describe(block.find("base_url")->mark), p.name, read.remark));
}

// The model of an account that has lanes is asked by one of them: nobody means to ask it twice, but who
// writes so.
void yieldToLanes(std::vector<Provider>& providers, const std::set<std::string>& insisting) {
    for (const Provider& lane : providers) {
        const auto account = std::ranges::find(providers, accountOf(lane.name), &Provider::name);
        if (!lane.enabled || account == providers.end() || !account->enabled ||
            insisting.contains(account->name))
            continue;
        account->enabled = false;
        account->disabled_reason = fmt::format("{} is on and takes its place", lane.name);
    }
}

class ProviderList {
public:
    ProviderList(const Node& defaults, Config& config) : defaults_(defaults), config_(config) {}

    void add(const Value& item) {
        Node block = item.node;
        if (block.isMapping()) complete(item, block);
        const Value value{block, item.path, item.scope};
        Provider p;
        Wanted wanted;
        readMapping(value, allFields(p, wanted, config_.warnings));
        p.mark = block.mark;
        p.retry.cap = std::max(p.retry.cap, p.retry.base);
        p.breaker.max_open_for = std::max(p.breaker.max_open_for, p.breaker.open_for);
        if (p.name.empty()) return;
        checkUnique(value, p.name);
        lengthenSilence(item.node, block, p);
        if (wanted.enabled == Switch::On && isGiven(item.node, "enabled") && !isInherited(block, "enabled"))
            insisting_.insert(p.name);
        decideKeys(value, wanted, p);
        decideEnabled(value, wanted.enabled, p, config_.warnings);
        mendBaseUrl(block, p, config_.warnings);
        if (isGiven(item.node, "proxy") && p.proxy && !p.proxy->empty() && isLoopback(hostOf(p.base_url)))
            config_.warnings.push_back(
                fmt::format("Provider {} is on this machine, so its proxy is not used: remove it.", p.name));
        config_.providers.push_back(std::move(p));
    }

    // After the last.
    void settle() { yieldToLanes(config_.providers, insisting_); }

private:
    void complete(const Value& item, Node& block) const {
        block = withDefaults(std::move(block), defaults_);
        std::string name;
        if (const Node* node = block.find("name")) nameField(name)(item.at("name", *node));
        if (!name.empty()) overrideProvider(block, name, item.scope.env);
    }

    void checkUnique(const Value& block, const std::string& name) {
        const Value at = block.at("name", *block.node.find("name"));
        const auto [it, is_new] = names_.try_emplace(name, at.node.mark);
        if (!is_new)
            at.fail(fmt::format("\"{}\" is already the name of the one at {}", name, describe(it->second)));
    }

    const Node& defaults_;
    Config& config_;
    std::map<std::string, Mark> names_;
    std::set<std::string> insisting_;  // on by what their blocks say
};

}  // namespace

void readProviders(const Value& root, const Node* before_defaults, Config& config) {
    Node defaults;
    const auto read_defaults = [&](const Value& v) {
        Provider ignored;
        Switch enabled = Switch::Auto;
        Fields fields = sharedFields(ignored);
        fields.push_back({"enabled", switchField(enabled)});
        readMapping(v, fields);
        // Faulty ones would only repeat their faults in every provider.
        if (v.scope.problems.empty()) defaults = withDefaults(std::move(defaults), v.node);
    };
    if (before_defaults && before_defaults->kind != Node::Kind::Null)
        read_defaults({*before_defaults, "provider_defaults", root.scope});
    ProviderList list(defaults, config);
    const auto add = [&list](const Value& item) { list.add(item); };
    readMapping(root, {{"plan", read::choice(config.plan, {{"manual", Plan::Manual},
                                                           {"fastest-first", Plan::FastestFirst},
                                                           {"cheapest-first", Plan::CheapestFirst}})},
                       {"defaults", read_defaults},
                       {"providers", read::list(kMostProviders, add), true}});
    list.settle();

    const auto is_enabled = [](const Provider& p) { return p.enabled; };
    if (std::none_of(config.providers.begin(), config.providers.end(), is_enabled))
        config.warnings.push_back(
            "No provider is enabled: set at least one API key, such as GEMINI_API_KEY.");
}

}  // namespace stepper::config
