#include "core/config/effective.h"

#include "core/base/id.h"
#include "core/secrets/redact.h"

namespace stepper::config {
namespace {

constexpr std::string_view kMask = "********";

// An object being written. One per section; they share the document's memory.
class Section {
public:
    Section(json::Allocator& a, Secrets secrets) : a_(a), secrets_(secrets) {}

    Section& put(std::string_view key, std::string_view value) {
        json::set(object_, key, value, a_);
        return *this;
    }
    Section& put(std::string_view key, const char* value) { return put(key, std::string_view(value)); }
    Section& put(std::string_view key, bool value) { return put(key, json::Value(value)); }
    Section& put(std::string_view key, int value) { return put(key, json::Value(value)); }
    Section& put(std::string_view key, int64_t value) { return put(key, json::Value(value)); }
    Section& put(std::string_view key, uint64_t value) { return put(key, json::Value(value)); }
    Section& put(std::string_view key, double value) { return put(key, json::Value(value)); }
    Section& put(std::string_view key, milliseconds value) { return put(key, int64_t{value.count()}); }
    Section& put(std::string_view key, const Secret& value) { return put(key, shown(value)); }
    Section& put(std::string_view key, const std::vector<Secret>& values) {
        std::vector<std::string> all;
        for (const auto& value : values) all.push_back(shown(value));
        return put(key, list(all));
    }
    Section& put(std::string_view key, const std::vector<std::string>& values) {
        return put(key, list(values));
    }
    template <class T>
    Section& put(std::string_view key, const std::optional<T>& value) {
        return value ? put(key, *value) : *this;
    }
    Section& put(std::string_view key, json::Value value) {
        json::set(object_, key, std::move(value), a_);
        return *this;
    }
    Section& put(std::string_view key, Section& section) { return put(key, section.take()); }

    json::Value list(const std::vector<std::string>& values) const {
        json::Value out(rapidjson::kArrayType);
        for (const auto& value : values) out.PushBack(json::text(value, a_), a_);
        return out;
    }
    bool masked() const { return secrets_ == Secrets::Masked; }
    Section section() const { return {a_, secrets_}; }
    json::Value take() { return std::move(object_); }
    json::Allocator& allocator() { return a_; }

private:
    std::string shown(const Secret& value) const {
        if (value.empty()) return {};
        return masked() ? std::string(kMask) : sha256Hex(value.reveal());
    }

    json::Allocator& a_;
    Secrets secrets_;
    json::Value object_{rapidjson::kObjectType};
};

std::string_view nameOf(Plan p) {
    switch (p) {
        case Plan::Manual: return "manual";
        case Plan::FastestFirst: return "fastest-first";
        case Plan::CheapestFirst: break;
    }
    return "cheapest-first";
}

std::string_view nameOf(PromptVariant v) {
    switch (v) {
        case PromptVariant::Auto: return "auto";
        case PromptVariant::Detailed: return "detailed";
        case PromptVariant::Short: return "short";
        case PromptVariant::Gemini: break;
    }
    return "gemini";
}

json::Value windows(const std::vector<Window>& all, const Section& like) {
    json::Value list(rapidjson::kArrayType);
    for (const auto& window : all) {
        Section w = like.section();
        w.put("requests", window.requests).put("tokens", window.tokens).put("per", window.per);
        list.PushBack(w.take(), w.allocator());
    }
    return list;
}

json::Value limits(const Limits& l, const Section& like) {
    Section out = like.section();
    out.put("rps", l.rps).put("rpm", l.rpm).put("rpd", l.rpd).put("tpm", l.tpm).put("tpd", l.tpd);
    if (!l.windows.empty()) out.put("windows", windows(l.windows, like));
    out.put("day_resets_in", l.day_resets_in).put("skew", l.skew);
    return out.take();
}

json::Value breaker(const Breaker& b, const Section& like) {
    Section out = like.section();
    out.put("window", b.window)
        .put("min_calls", b.min_calls)
        .put("failure_rate", b.failure_rate)
        .put("consecutive", b.consecutive)
        .put("open_for", b.open_for)
        .put("max_open_for", b.max_open_for)
        .put("probes", b.probes);
    return out.take();
}

// A plugin's options may hold a key that was written out, such as in a header. Only it knows, so this goes by
// the names, and by how secrets look.
json::Value withoutSecrets(const json::Value& from, json::Allocator& a, bool secret = false) {
    if (from.IsObject()) {
        json::Value out(rapidjson::kObjectType);
        for (const auto& [name, value] : from.GetObject())
            json::set(out, json::view(name),
                      withoutSecrets(value, a, secret || secrets::isSecretName(json::view(name))), a);
        return out;
    }
    if (from.IsArray()) {
        json::Value out(rapidjson::kArrayType);
        for (const auto& item : from.GetArray()) out.PushBack(withoutSecrets(item, a, secret), a);
        return out;
    }
    if (!from.IsString()) return json::Value(from, a);
    return json::text(secret ? std::string(kMask) : secrets::redact(json::view(from)), a);
}

void putProxy(Section& out, const Secret& proxy) {
    if (proxy.empty())
        out.put("proxy", "none");
    else if (out.masked())
        out.put("proxy", shownUrl(proxy.reveal()));
    else
        out.put("proxy", proxy);
}

json::Value provider(const Provider& p, const Section& like) {
    Section out = like.section(), retry = like.section(), price = like.section();
    out.put("name", p.name).put("plugin", p.plugin).put("enabled", p.enabled);
    if (!p.enabled) out.put("disabled_reason", p.disabled_reason);
    out.put("base_url", p.base_url)
        .put("model", p.model)
        .put("timeout", p.timeout)
        .put("connect_timeout", p.connect_timeout)
        .put("first_byte_timeout", p.first_byte_timeout)
        .put("idle_timeout", p.idle_timeout)
        .put("concurrency", p.concurrency)
        .put("max_response_bytes", p.max_response_bytes)
        .put("stream", p.stream)
        .put("limits", limits(p.limits, like))
        .put("retry",
             retry.put("attempts", p.retry.attempts).put("base", p.retry.base).put("cap", p.retry.cap))
        .put("breaker", breaker(p.breaker, like))
        .put("wait_up_to", p.wait_up_to)
        .put("probe_every", p.probe_every)
        .put("keep_warm", p.keep_warm)
        .put("prompt_variant", nameOf(p.prompt_variant))
        .put("isolation", p.isolation == Isolation::Process ? "process" : "none")
        .put("temperature", p.temperature)
        .put("max_tokens", p.max_tokens);
    if (p.api_keys.size() > 1)
        out.put("api_keys", p.api_keys);
    else
        out.put("api_key", p.api_keys.empty() ? Secret() : p.api_keys.front());
    if (!p.models.empty()) out.put("models", p.models);
    if (!p.system.empty()) out.put("system", out.masked() ? secrets::redact(p.system) : p.system);
    if (p.proxy) putProxy(out, *p.proxy);
    if (p.price) out.put("price", price.put("input", p.price->input).put("output", p.price->output));
    if (const auto options = json::parse(out.masked() ? p.options_shown : p.options_json))
        out.put("options", out.masked() ? withoutSecrets(*options, out.allocator())
                                        : json::Value(*options, out.allocator()));
    return out.take();
}

json::Value plugins(const Plugins& p, const Section& like) {
    Section out = like.section(), hashes = like.section();
    for (const auto& [stem, allowed] : p.sha256) hashes.put(stem, allowed);
    out.put("require_sha256", p.require_sha256).put("sha256", hashes).put("state_dir", p.state_dir.string());
    return out.take();
}

// As it may be written.
json::Value trustedProxies(const TrustedProxies& t, const Section& like) {
    if (!t.words().empty()) return like.list(t.words());
    if (t.hops() == 0 || t.hops() == TrustedProxies::kAll) return json::Value(t.hops() != 0);
    return json::Value(uint64_t{t.hops()});
}

json::Value security(const Security& s, const Section& like) {
    Section out = like.section(), cors = like.section(), rate = like.section();
    cors.put("enabled", s.cors.enabled)
        .put("allowed_origins", s.cors.allowed_origins)
        .put("allow_credentials", s.cors.allow_credentials);
    rate.put("enabled", s.rate_limit.enabled)
        .put("window", s.rate_limit.window)
        .put("max_requests", s.rate_limit.max_requests)
        .put("max_per_user", s.rate_limit.max_per_user)
        .put("skip_health", s.rate_limit.skip_health);
    out.put("api_key_enabled", s.api_key_enabled)
        .put("api_key", s.api_key)
        .put("api_key_header", s.api_key_header)
        .put("api_key_skip_health", s.api_key_skip_health)
        .put("admin_key", s.admin_key)
        .put("security_headers", s.security_headers)
        .put("trust_proxy", trustedProxies(s.trust_proxy, like))
        .put("cors", cors)
        .put("rate_limit", rate)
        .put("redact", s.redact);
    return out.take();
}

}  // namespace

std::string shownUrl(const std::string& url) {
    const size_t at = url.rfind('@'), scheme = url.find("://");
    if (at == std::string::npos || scheme == std::string::npos) return url;
    return url.substr(0, scheme + 3) + std::string(kMask) + url.substr(at);
}

json::Document effective(const Config& c, Secrets which) {
    json::Document out;
    Section root(out.GetAllocator(), which),
        server = root.section(), store = root.section(), cache = root.section(), delivery = root.section(),
        queue = root.section(), batch = root.section(), fallback = root.section(), webhooks = root.section(),
        log = root.section();
    server.put("host", c.server.host)
        .put("port", int{c.server.port})
        .put("hosts", c.server.hosts)
        .put("max_connections", c.server.max_connections)
        .put("max_body", c.server.max_body)
        .put("body_memory", c.server.body_memory)
        .put("drain_timeout", c.server.drain_timeout)
        .put("keep_alive", c.server.keep_alive);
    store.put("url", which == Secrets::Masked ? shownUrl(c.store_url) : c.store_url)
        .put("durability", c.store_durability)
        .put("key_prefix", c.store_key_prefix);
    delivery.put("reports", c.cache.reports_delivery).put("generate", c.cache.generate_delivery);
    cache.put("ttl", c.cache.ttl)
        .put("fresh_for", c.cache.fresh_for)
        .put("stale_while_revalidate", c.cache.stale_while_revalidate)
        .put("delivery", delivery);
    queue.put("workers", c.queue.workers)
        .put("retention", c.queue.retention)
        .put("retention_failed", c.queue.retention_failed)
        .put("lease", c.queue.lease)
        .put("max_attempts", c.queue.max_attempts)
        .put("max_calls", c.queue.max_calls)
        .put("max_wait", c.queue.max_wait);
    batch.put("max_items", c.batch.max_items)
        .put("max_concurrency", c.batch.max_concurrency)
        .put("max_running", c.batch.max_running);
    fallback.put("enabled", c.fallback_enabled)
        .put("when_limited", c.fallback_when_limited)
        .put("jobs", c.fallback_jobs == JobFailure::Fail ? "fail" : "fallback");
    webhooks.put("enabled", c.webhooks.enabled)
        .put("secret", c.webhooks.secret)
        .put("allowed_origins", c.webhooks.allowed_origins)
        .put("api_url", c.webhooks.api_url)
        .put("max_retries", c.webhooks.max_retries)
        .put("retry_delay", c.webhooks.retry_delay);
    log.put("level", c.log.level).put("format", c.log.format);
    json::Value providers(rapidjson::kArrayType);
    for (const auto& p : c.providers) providers.PushBack(provider(p, root), out.GetAllocator());
    root.put("server", server)
        .put("plugins_dir", c.plugins_dir.string())
        .put("plugins", plugins(c.plugins, root))
        .put("store", store)
        .put("cache", cache)
        .put("queue", queue)
        .put("batch", batch)
        .put("fallback", fallback)
        .put("security", security(c.security, root))
        .put("webhooks", webhooks)
        .put("log", log)
        .put("plan", nameOf(c.plan))
        .put("providers", std::move(providers));
    static_cast<json::Value&>(out) = root.take();
    return out;
}

}  // namespace stepper::config
