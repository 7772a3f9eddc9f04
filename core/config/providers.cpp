#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/config/expand.h"
#include "core/config/formats.h"
#include "core/config/overrides.h"
#include "core/config/provider_key.h"
#include "core/config/settings.h"

namespace stepper::config {
namespace {

constexpr size_t kMostProviders = 256, kMostKeys = 64;

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

// Those that the table lists without a reader.
Fields fieldsOfBlock(Provider& p, Wanted& wanted, std::vector<std::string>& warnings) {
    Fields fields = fieldsOf<Provider>(providerSettings(), p);
    const auto read = [&fields](std::string_view key, Read by) {
        std::ranges::find(fields, key, &Field::key)->read = std::move(by);
    };
    read("enabled", switchField(wanted.enabled));
    read("api_key", keyField(p, wanted.key, warnings));
    read("api_keys",
         [&, one = keyField(p, wanted.keys, warnings)](const Value& v) { read::list(v, kMostKeys, one); });
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
    if (several && block.node.gives("api_key") && !isInherited(block.node, "api_key"))
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
    if (!own.gives("first_byte_timeout")) p.first_byte_timeout = std::max(p.first_byte_timeout, p.timeout);
    if (!own.gives("idle_timeout")) p.idle_timeout = std::max(p.idle_timeout, p.timeout);
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
        readMapping(value, fieldsOfBlock(p, wanted, config_.warnings));
        p.mark = block.mark;
        p.retry.cap = std::max(p.retry.cap, p.retry.base);
        p.breaker.max_open_for = std::max(p.breaker.max_open_for, p.breaker.open_for);
        if (p.name.empty()) return;
        checkUnique(value, p.name);
        lengthenSilence(item.node, block, p);
        if (wanted.enabled == Switch::On && item.node.gives("enabled") && !isInherited(block, "enabled"))
            insisting_.insert(p.name);
        decideKeys(value, wanted, p);
        decideEnabled(value, wanted.enabled, p, config_.warnings);
        mendBaseUrl(block, p, config_.warnings);
        if (item.node.gives("proxy") && p.proxy && !p.proxy->empty() && isLoopback(hostOf(p.base_url)))
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
        if (const Node* node = block.find("name")) format::name(item.at("name", *node), name);
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
        Fields fields = fieldsOf(sharedSettings(), ignored);
        fields.push_back({"enabled", switchField(enabled)});
        readMapping(v, fields);
        // Faulty ones would only repeat their faults in every provider.
        if (v.scope.problems.empty()) defaults = withDefaults(std::move(defaults), v.node);
    };
    if (before_defaults && before_defaults->kind != Node::Kind::Null)
        read_defaults({*before_defaults, "provider_defaults", root.scope});
    ProviderList list(defaults, config);
    const auto add = [&list](const Value& item) { list.add(item); };
    Fields fields = fieldsOf<Config>(catalogueSettings(), config);
    fields.push_back({"defaults", read_defaults});
    fields.push_back({"providers", [&](const Value& v) { read::list(v, kMostProviders, add); }, true});
    readMapping(root, fields);
    list.settle();

    const auto is_enabled = [](const Provider& p) { return p.enabled; };
    if (std::none_of(config.providers.begin(), config.providers.end(), is_enabled))
        config.warnings.push_back(
            "No provider is enabled: set at least one API key, such as GEMINI_API_KEY.");
}

}  // namespace stepper::config
