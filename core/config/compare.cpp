#include "core/config/compare.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/config/effective.h"

namespace stepper::config {
namespace {

// The paths of what differs below `path`: leaves, and lists as a whole.
void collect(const json::Value* from, const json::Value* to, const std::string& path,
             std::vector<std::string>& out) {
    if (from && to && *from == *to) return;
    if (!from || !to || !from->IsObject() || !to->IsObject()) {
        out.push_back(path);
        return;
    }
    const auto below = [&](std::string_view key) {
        return path.empty() ? std::string(key) : path + "." + std::string(key);
    };
    for (const auto& m : from->GetObject())
        collect(&m.value, json::find(*to, json::view(m.name)), below(json::view(m.name)), out);
    for (const auto& m : to->GetObject())
        if (!json::find(*from, json::view(m.name))) out.push_back(below(json::view(m.name)));
}

const json::Value* named(const json::Value& providers, std::string_view name) {
    for (const auto& p : providers.GetArray())
        if (json::string(p, "name") == name) return &p;
    return nullptr;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

// The names that are in both, in the order of `list`.
std::vector<std::string> orderOf(const json::Value& list, const json::Value& other) {
    std::vector<std::string> out;
    for (const auto& p : list.GetArray())
        if (const auto name = json::string(p, "name"); name && named(other, *name)) out.emplace_back(*name);
    return out;
}

void compareProviders(const json::Value& from, const json::Value& to, std::vector<std::string>& out) {
    for (const auto& p : from.GetArray())
        if (const auto name = json::string(p, "name").value_or(""); !named(to, name))
            out.push_back("provider " + std::string(name) + " removed");
    for (const auto& p : to.GetArray()) {
        const std::string name(json::string(p, "name").value_or(""));
        const json::Value* before = named(from, name);
        std::vector<std::string> keys;
        if (before) collect(before, &p, "", keys);
        if (!before) out.push_back("provider " + name + " added");
        if (!keys.empty()) out.push_back("provider " + name + " changed: " + joined(keys));
    }
    if (orderOf(from, to) != orderOf(to, from)) out.push_back("the order of the providers changed");
}

}  // namespace

std::vector<std::string> differences(const Config& from, const Config& to) {
    auto a = effective(from, Secrets::Digested), b = effective(to, Secrets::Digested);
    std::vector<std::string> out;
    compareProviders(a["providers"], b["providers"], out);
    a.RemoveMember("providers");
    b.RemoveMember("providers");
    std::vector<std::string> keys;
    collect(&a, &b, "", keys);
    for (const auto& key : keys) out.push_back(key + " changed");
    return out;
}

std::vector<std::string> keepFixed(Config& next, const Config& running) {
    std::vector<std::string> out;
    const auto keep = [&out](const char* key, auto& value, const auto& was) {
        if (value == was) return;
        value = was;
        out.emplace_back(key);
    };
    keep("server.listen", next.server.host, running.server.host);
    keep("server.listen", next.server.port, running.server.port);
    keep("server.max_connections", next.server.max_connections, running.server.max_connections);
    keep("server.max_body", next.server.max_body, running.server.max_body);
    keep("server.body_memory", next.server.body_memory, running.server.body_memory);
    keep("server.keep_alive", next.server.keep_alive, running.server.keep_alive);
    keep("store.url", next.store_url, running.store_url);
    keep("store.durability", next.store_durability, running.store_durability);
    keep("store.key_prefix", next.store_key_prefix, running.store_key_prefix);
    keep("cache.stale_while_revalidate", next.cache.stale_while_revalidate,
         running.cache.stale_while_revalidate);
    keep("queue.workers", next.queue.workers, running.queue.workers);
    keep("queue.lease", next.queue.lease, running.queue.lease);
    keep("batch.max_concurrency", next.batch.max_concurrency, running.batch.max_concurrency);
    keep("batch.max_running", next.batch.max_running, running.batch.max_running);
    keep("plugins.state_dir", next.plugins.state_dir, running.plugins.state_dir);
    keep("security.security_headers", next.security.security_headers, running.security.security_headers);
    keep("security.trust_proxy", next.security.trust_proxy, running.security.trust_proxy);
    keep("log.format", next.log.format, running.log.format);
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

}  // namespace stepper::config
