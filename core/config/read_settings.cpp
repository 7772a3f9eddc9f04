// What settings of stepper.yaml say of each other.
#include <algorithm>

#include <fmt/format.h>

#include "core/base/units.h"
#include "core/config/settings.h"

namespace stepper::config {
namespace {

// Reports at a key of a section that is there.
void failAt(const Value& section, std::string_view key, std::string_view what) {
    section.at(key, *section.node.find(key)).fail(what);
}

// The door is locked when there is a key, unless told otherwise. Told to lock without a key is a mistake that
// must not leave it open.
void settleSecurity(const Value& section, Security& s) {
    if (!section.node.gives("api_key_enabled")) s.api_key_enabled = !s.api_key.empty();
    if (s.api_key_enabled && s.api_key.empty())
        failAt(section, "api_key_enabled",
               "is on, but there is no key; set STEPPER_API_KEY or security.api_key");
}

void settleCors(const Value& section, const Cors& c) {
    const bool anybody = std::ranges::find(c.allowed_origins, "*") != c.allowed_origins.end();
    if (c.enabled && c.allow_credentials && anybody)
        failAt(section, "allow_credentials",
               "is on while allowed_origins has \"*\", which would let every site act with a visitor's "
               "credentials; list the origins, or turn it off");
}

void settleCache(Cache& cache, std::vector<std::string>& warnings) {
    if (cache.fresh_for <= cache.ttl) return;
    warnings.push_back(fmt::format("cache.fresh_for ({}) is longer than cache.ttl ({}): using {}",
                                   formatDuration(cache.fresh_for), formatDuration(cache.ttl),
                                   formatDuration(cache.ttl)));
    cache.fresh_for = cache.ttl;
}

// The section, where there is one.
std::optional<Value> sectionOf(const Value& v, std::string_view key) {
    const Node* node = v.node.find(key);
    return node ? std::optional(v.at(key, *node)) : std::nullopt;
}

}  // namespace

void readSettings(const Value& root, Config& config) {
    readMapping(root, fieldsOf<Config>(settings(), config));
    if (const auto security = sectionOf(root, "security")) {
        settleSecurity(*security, config.security);
        if (const auto cors = sectionOf(*security, "cors")) settleCors(*cors, config.security.cors);
    }
    if (config.security.trust_proxy.hops() == TrustedProxies::kAll)
        config.warnings.emplace_back(
            "security.trust_proxy (TRUST_PROXY) is true: a client's address is what the client itself writes "
            "into X-Forwarded-For; write how many proxies stand in front, such as 1, or their addresses");
    config.queue.retention_failed = std::max(config.queue.retention_failed, config.queue.retention);
    settleCache(config.cache, config.warnings);
}

}  // namespace stepper::config
