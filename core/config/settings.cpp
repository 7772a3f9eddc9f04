#include <algorithm>
#include <cctype>
#include <chrono>

#include <fmt/format.h>

#include "core/base/endpoint.h"
#include "core/base/text.h"
#include "core/base/units.h"
#include "core/config/origin.h"
#include "core/config/sections.h"

namespace stepper::config {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kMillion = 1'000'000;

// "127.0.0.1:3001", "[::1]:3001", "localhost:0"
Read listen(Server& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (!s) return;
        const auto endpoint = parseEndpoint(trim(*s));
        if (!endpoint)
            return v.failExpected("HOST:PORT such as 127.0.0.1:3001 or [::1]:3001, ports 0 to 65535");
        out.host = endpoint->host;
        out.port = endpoint->port;
    };
}

// As in listen, but an IPv6 address needs no brackets: no port follows.
Read host(std::string& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (!s) return;
        std::string written(trim(*s));
        if (written.find(':') != std::string::npos && !written.starts_with('['))
            written = "[" + written + "]";
        const auto endpoint = parseEndpoint(written + ":0");
        if (!endpoint)
            return v.failExpected("a name or an address to listen on, such as 127.0.0.1, 0.0.0.0 or ::");
        out = endpoint->host;
    };
}

// A sequence, or one text with commas, of words; `take` says what becomes of each, or why nothing does.
using TakeWord = std::function<std::optional<std::string>(const Value& at, const std::string& word)>;
Read checkedWords(std::vector<std::string>& out, TakeWord take) {
    return [&out, take = std::move(take)](const Value& v) {
        std::vector<std::string> found;
        const auto add = [&](const Value& text) {
            std::vector<std::string> words;
            read::words(words)(text);
            for (const auto& word : words)
                if (auto taken = take(text, word)) found.push_back(std::move(*taken));
        };
        if (v.node.kind == Node::Kind::Sequence)
            read::list(1000, add)(v);
        else
            add(v);
        out = std::move(found);
    };
}

// None for what can be no host of an URL.
std::optional<std::string> hostPattern(std::string_view word) {
    constexpr std::string_view kBelow = "*.";
    if (word == "*") return "*";
    const bool below = word.starts_with(kBelow);
    const auto host = plainHost(below ? word.substr(kBelow.size()) : word);
    const bool sound = host && std::all_of(host->begin(), host->end(), [](unsigned char c) {
                           return std::isalnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
                       });
    if (!sound || (below && plainAddress(*host))) return std::nullopt;
    return below ? std::string(kBelow) + *host : *host;
}

Read hosts(std::vector<std::string>& out) {
    return checkedWords(out, [](const Value& at, const std::string& word) {
        auto host = hostPattern(word);
        if (!host)
            at.fail(
                fmt::format("\"{}\" is no host: write a name or an address without scheme and port, "
                            "*.example.com for all below it, or \"*\" for any",
                            word));
        return host;
    });
}

Read storeUrl(std::string& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (!s) return;
        const std::string_view url = trim(*s);
        const auto names = [&](std::string_view scheme) {
            return url.starts_with(scheme) && url.size() > scheme.size();
        };
        // The text is not shown: it may hold a password. A Redis is left to store::checkKind, which
        // knows where its address tends to come from.
        if (!names("sqlite:") && !names("redis://") && !names("rediss://") && url != "memory:")
            return v.fail("expected sqlite:PATH or memory:");
        out = url;
    };
}

// The colon between it and the rest of a key is not part of it.
Read keyPrefix(std::string& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (s) out = s->substr(0, s->find_last_not_of(':') + 1);
    };
}

Read headerName(std::string& out) {
    return [&out](const Value& v) {
        const auto s = v.text();
        if (!s) return;
        const bool well_formed = !s->empty() && std::all_of(s->begin(), s->end(), [](unsigned char c) {
            return std::isalnum(c) || c == '-' || c == '_';
        });
        if (!well_formed) return v.failExpected("the name of an HTTP header");
        out = *s;
    };
}

Read directory(std::filesystem::path& out) {
    return [&out](const Value& v) {
        if (const auto s = v.text()) out = *s;
    };
}

bool isSha256(std::string_view s) {
    return s.size() == 64 && s.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A mapping from file stems to one hash or a list of them.
Read hashes(std::map<std::string, std::vector<std::string>>& out) {
    return [&out](const Value& v) {
        if (!v.node.isMapping()) return v.failExpected("a mapping from plugin files to their sha256");
        for (const auto& [stem, mark, child] : v.node.entries) {
            const Value value = v.at(stem, child);
            std::vector<std::string> words;
            read::words(words)(value);
            for (auto& word : words) {
                word = lower(word);
                if (!isSha256(word)) value.fail("expected a sha256: 64 hexadecimal digits");
            }
            out[stem] = std::move(words);
        }
    };
}

Read pluginsSection(Plugins& p) {
    return read::section({{"require_sha256", read::flag(p.require_sha256)},
                          {"sha256", hashes(p.sha256)},
                          {"state_dir", directory(p.state_dir)}});
}

Read serverSection(Server& s) {
    return read::section({{"listen", listen(s)},
                          {"host", host(s.host)},  // after listen, as port: they win
                          {"port", read::integer(s.port, 0, 65535)},
                          {"hosts", hosts(s.hosts)},
                          {"max_connections", read::integer(s.max_connections, 1, kMillion)},
                          {"max_body", read::bytes(s.max_body, 1024, 1u << 30)},
                          {"body_memory", read::bytes(s.body_memory, 1u << 20, uint64_t{1} << 40)},
                          {"drain_timeout", read::duration(s.drain_timeout, 0ms, 1h)},
                          {"keep_alive", read::duration(s.keep_alive, 0ms, 1h)}});
}

Read cacheSection(Cache& c) {
    const std::vector<std::string> deliveries = {"once", "keep"};
    return read::section(
        {{"ttl", read::duration(c.ttl, 1s, 24h * 365)},
         {"fresh_for", read::duration(c.fresh_for, 0ms, 24h * 365)},
         {"stale_while_revalidate", read::flag(c.stale_while_revalidate)},
         {"delivery", read::section({{"reports", read::oneOf(c.reports_delivery, deliveries)},
                                     {"generate", read::oneOf(c.generate_delivery, deliveries)}})}});
}

Read queueSection(Queue& q) {
    return read::section({{"workers", read::integer(q.workers, 0, 4096)},
                          {"retention", read::duration(q.retention, 1s, 24h * 365)},
                          {"retention_failed", read::duration(q.retention_failed, 1s, 24h * 365)},
                          {"lease", read::duration(q.lease, 1s, 1h)},
                          {"max_attempts", read::integer(q.max_attempts, 1, 100)},
                          {"max_calls", read::integer(q.max_calls, 1, 1'000)},
                          {"max_wait", read::duration(q.max_wait, 1s, 24h * 365)}});
}

Read batchSection(Batch& b) {
    return read::section({{"max_items", read::integer(b.max_items, 1, 100'000)},
                          {"max_concurrency", read::integer(b.max_concurrency, 1, 1024)},
                          {"max_running", read::integer(b.max_running, 1, 1024)}});
}

Read origins(std::vector<std::string>& out) {
    return checkedWords(out, [](const Value& at, const std::string& word) {
        const auto problem = originProblem(word);
        if (problem) at.fail(fmt::format("\"{}\" is no origin to allow: {}", word, *problem));
        return problem ? std::nullopt : std::optional(word);
    });
}

Read trustedProxies(TrustedProxies& out) {
    return [&out](const Value& v) {
        std::vector<std::string> words;
        read::words(words)(v);
        if (const auto read = TrustedProxies::parse(words))
            out = *read;
        else
            v.failExpected(
                "true, false, how many proxies stand in front, or their addresses and networks such as "
                "10.0.0.0/8, loopback, linklocal and uniquelocal with commas between");
    };
}

Read corsSection(Cors& c) {
    return [&c](const Value& v) {
        readMapping(v, {{"enabled", read::flag(c.enabled)},
                        {"allowed_origins", origins(c.allowed_origins)},
                        {"allow_credentials", read::flag(c.allow_credentials)}});
        const bool anybody =
            std::find(c.allowed_origins.begin(), c.allowed_origins.end(), "*") != c.allowed_origins.end();
        if (c.enabled && c.allow_credentials && anybody)
            v.at("allow_credentials", *v.node.find("allow_credentials"))
                .fail(
                    "is on while allowed_origins has \"*\", which would let every site act with a "
                    "visitor's credentials; list the origins, or turn it off");
    };
}

Read rateLimitSection(RateLimit& r) {
    return read::section({{"enabled", read::flag(r.enabled)},
                          {"window", read::duration(r.window, 1ms, 24h * 7)},
                          {"max_requests", read::integer(r.max_requests, 1, kMillion)},
                          {"max_per_user", read::integer(r.max_per_user, 1, kMillion)},
                          {"skip_health", read::flag(r.skip_health)}});
}

// The door is locked when there is a key, unless told otherwise. Told to lock without a key is a mistake that
// must not leave it open.
Read securitySection(Security& s) {
    return [&s](const Value& v) {
        std::optional<bool> told;
        readMapping(v, {{"api_key", read::secret(s.api_key)},
                        {"api_key_enabled", read::flag(told)},
                        {"api_key_header", headerName(s.api_key_header)},
                        {"api_key_skip_health", read::flag(s.api_key_skip_health)},
                        {"admin_key", read::secret(s.admin_key)},
                        {"security_headers", read::flag(s.security_headers)},
                        {"trust_proxy", trustedProxies(s.trust_proxy)},
                        {"cors", corsSection(s.cors)},
                        {"rate_limit", rateLimitSection(s.rate_limit)},
                        {"redact", read::flag(s.redact)}});
        s.api_key_enabled = told.value_or(!s.api_key.empty());
        if (s.api_key_enabled && s.api_key.empty())
            v.at("api_key_enabled", *v.node.find("api_key_enabled"))
                .fail("is on, but there is no key; set STEPPER_API_KEY or security.api_key");
    };
}

Read webhooksSection(Webhooks& w) {
    return read::section({{"enabled", read::flag(w.enabled)},
                          {"secret", read::secret(w.secret)},
                          {"allowed_origins", read::words(w.allowed_origins)},
                          {"api_url", read::url(w.api_url)},
                          {"max_retries", read::integer(w.max_retries, 0, 100)},
                          {"retry_delay", read::duration(w.retry_delay, 0ms, 24h)}});
}

// `fatal` and `silent` are the words of a logger that has no `off`; nothing here is graver than an error.
Read logLevel(std::string& out) {
    return read::choice(out, {{"trace", "trace"},
                              {"debug", "debug"},
                              {"info", "info"},
                              {"warn", "warn"},
                              {"error", "error"},
                              {"off", "off"},
                              {"fatal", "error"},
                              {"silent", "off"}});
}

Read logSection(Log& l) {
    return read::section({{"level", logLevel(l.level)}, {"format", read::oneOf(l.format, {"json", "text"})}});
}

}  // namespace

std::string readSettings(const Value& root, Config& config) {
    std::string providers_file = "providers.yaml";
    readMapping(
        root,
        {{"server", serverSection(config.server)},
         {"providers_file", read::text(providers_file)},
         {"provider_defaults", [](const Value&) {}},
         {"plugins_dir", directory(config.plugins_dir)},
         {"plugins", pluginsSection(config.plugins)},
         {"store", read::section({{"url", storeUrl(config.store_url)},
                                  {"durability", read::oneOf(config.store_durability, {"full", "normal"})},
                                  {"key_prefix", keyPrefix(config.store_key_prefix)}})},
         {"cache", cacheSection(config.cache)},
         {"queue", queueSection(config.queue)},
         {"batch", batchSection(config.batch)},
         {"fallback",
          read::section({{"enabled", read::flag(config.fallback_enabled)},
                         {"when_limited", read::flag(config.fallback_when_limited)},
                         {"jobs", read::choice(config.fallback_jobs, {{"fallback", JobFailure::Fallback},
                                                                      {"fail", JobFailure::Fail}})}})},
         {"security", securitySection(config.security)},
         {"webhooks", webhooksSection(config.webhooks)},
         {"log", logSection(config.log)}});
    if (config.security.trust_proxy.hops() == TrustedProxies::kAll)
        config.warnings.emplace_back(
            "security.trust_proxy (TRUST_PROXY) is true: a client's address is what the client itself writes "
            "into X-Forwarded-For; write how many proxies stand in front, such as 1, or their addresses");
    config.queue.retention_failed = std::max(config.queue.retention_failed, config.queue.retention);
    Cache& cache = config.cache;
    if (cache.fresh_for > cache.ttl) {
        config.warnings.push_back(fmt::format("cache.fresh_for ({}) is longer than cache.ttl ({}): using {}",
                                              formatDuration(cache.fresh_for), formatDuration(cache.ttl),
                                              formatDuration(cache.ttl)));
        cache.fresh_for = cache.ttl;
    }
    return providers_file;
}

}  // namespace stepper::config
