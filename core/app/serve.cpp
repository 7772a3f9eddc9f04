#include <algorithm>
#include <atomic>
#include <cstdio>

#include "core/api/api.h"
#include "core/api/generate_request.h"
#include "core/api/guard.h"
#include "core/app/admin_token.h"
#include "core/app/configuration.h"
#include "core/app/ending.h"
#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/base/endpoint.h"
#include "core/base/store_url.h"
#include "core/config/effective.h"
#include "core/engine/caretaker.h"
#include "core/engine/engine.h"
#include "core/engine/quota_journal.h"
#include "core/engine/usage_keeper.h"
#include "core/jobs/decide.h"
#include "core/store/open.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"
#include "core/transport/descriptors.h"

namespace stepper::app {
namespace {

// Idle upstream connections are looked after this often while nothing else happens.
constexpr milliseconds kHousekeeping{20'000};

// Returns when the process should end.
void waitForTermination(Ending& ending, transport::CurlTransport& transport, runtime::Reloader& reloader) {
    for (;;) {
        const auto asked = ending.wait(kHousekeeping);
        if (asked == Ending::Asked::End) return;
        if (asked == Ending::Asked::Look) reloader.trigger();
        if (asked == Ending::Asked::Nothing)
            hasMemoryFor("closing idle connections", [&] { transport.closeExpired(); });
    }
}

http::ServerOptions serverOptions(const config::Config& config, std::shared_ptr<http::ByteBudget> bodies) {
    http::ServerOptions out;
    out.host = config.server.host;
    out.port = config.server.port;
    out.max_connections = config.server.max_connections;
    out.max_body = config.server.max_body;
    out.bodies = std::move(bodies);
    out.keep_alive = config.server.keep_alive;
    out.trusted_proxies = config.security.trust_proxy;
    out.security_headers = config.security.security_headers;
    return out;
}

void logAccess(Metrics& metrics, const http::Access& a) {
    metrics.http(a.route.empty() ? "none" : a.route, a.status, a.duration);
    if (!a.story.empty())
        return log::info("request", {{"requestId", a.request->id},
                                     {"method", a.request->method},
                                     {"route", a.route},
                                     {"status", a.status},
                                     {"ms", a.duration.count()},
                                     {"bytes", a.bytes_out},
                                     {"client", a.request->caller.address},
                                     {"story", a.story}});
    log::info("request", {{"requestId", a.request->id},
                          {"method", a.request->method},
                          {"route", a.route},
                          {"status", a.status},
                          {"ms", a.duration.count()},
                          {"bytes", a.bytes_out},
                          {"client", a.request->caller.address}});
}

void logProviders(const engine::Snapshot& snapshot) {
    for (const auto& p : snapshot.providers) {
        if (p.enabled()) {
            log::info("provider enabled",
                      {{"name", p.spec.name}, {"plugin", p.spec.plugin}, {"model", p.spec.model}});
        } else if (p.absence == engine::Absence::PluginMissing && p.spec.enabled) {
            log::warn("provider disabled", {{"name", p.spec.name}, {"reason", p.disabled_reason}});
        } else {
            log::info("provider disabled", {{"name", p.spec.name}, {"reason", p.disabled_reason}});
        }
    }
}

store::OpenOptions storeOptions(const config::Config& config, bool recover) {
    store::OpenOptions out;
    out.url = config.store_url;
    out.durability = config.store_durability == "full" ? store::Durability::Full : store::Durability::Normal;
    out.recover = recover;
    out.crashes = jobs::crashPolicy();
    return out;
}

void logStore(const config::Config& config, const std::optional<store::Salvaged>& salvaged) {
    log::info("store opened",
              {{"url", config::shownUrl(config.store_url)}, {"durability", config.store_durability}});
    if (salvaged)
        log::warn("damaged store recovered", {{"rows", salvaged->rows},
                                              {"unreadablePlaces", salvaged->gaps},
                                              {"damagedFile", salvaged->damaged_path}});
}

// In a file, so that nobody who can only connect has it.
api::AdminKey keptAdminKey(const config::Config& config) {
    auto token = keepAdminToken(adminTokenPath(config));
    if (!token) {
        log::warn("/admin is closed", {{"reason", token.error().message}});
        return {{}, false, "none is configured, and none could be kept in a file, as the log tells"};
    }
    if (!token->finding.empty()) log::warn("admin key", {{"reason", token->finding}});
    log::info("admin key", {{"file", adminTokenPath(config).string()}});
    return {std::move(token->secret), false};
}

// For people, and for what starts this program, beside the line that says where it listens.
void tellWhereTheAdminKeyIs(const config::Config& config, const api::AdminKey& admin) {
    if (admin.configured || admin.key.empty()) return;
    std::printf("stepper: the key of /admin is in %s\n", adminTokenPath(config).c_str());
}

void tellWhereTheStoreIs(const config::Config& config) {
    if (const auto url = parseStoreUrl(config.store_url); url.kind == StoreUrl::Kind::Sqlite)
        std::printf("stepper: jobs and answers are kept in %s\n", url.path.c_str());
}

// Ends its thread before what the thread's callback uses, also when the start fails.
struct Closing {
    runtime::Reloader& reloader;
    ~Closing() { reloader.close(); }
};

// For people, and for what starts this program.
void tellThatItRuns(const config::Config& config, const http::Server* server) {
    if (server)
        std::printf("stepper: listening on http://%s:%u\n", bracketed(config.server.host).c_str(),
                    server->port());
    else
        std::printf("stepper: running jobs, without HTTP\n");
}

// Whoever reaches it spends the providers' quotas and reads everybody's jobs.
void warnOfOpenDoors(const config::Config& config) {
    if (config.security.api_key_enabled || isLoopback(config.server.host)) return;
    log::warn("open to the network",
              {{"reason", "this server listens on " + bracketed(config.server.host) +
                              " and asks for no API key: set STEPPER_API_KEY (security.api_key), or HOST "
                              "(server.listen) to 127.0.0.1"}});
}

int refuse(const std::string& problem) {
    std::fprintf(stderr, "stepper: %s\n", problem.c_str());
    return kExitConfig;
}

// A client has one, and a call to a provider some.
void warnOfDescriptors(int max_connections) {
    const auto limit = transport::raiseDescriptorLimit();
    if (!limit) return log::warn("descriptors", {{"reason", limit.error().message}});
    if (*limit < static_cast<uint64_t>(max_connections))
        log::warn(
            "descriptors",
            {{"reason", "this process may open " + std::to_string(*limit) +
                            " files, fewer than server.max_connections (" + std::to_string(max_connections) +
                            "): clients will be turned away before; raise the limit (ulimit -n, "
                            "LimitNOFILE) or lower server.max_connections"}});
}

}  // namespace

int serve(const Options& options) {
    // First of all: reading files of a dead server may take for ever.
    const auto ending = Ending::prepare();
    auto config = loadConfig(options);
    if (!config) return refuse(config.error().message);
    openLog(config->log.level, config->log.format);
    warnOfDescriptors(config->server.max_connections);

    runtime::Host host(
        std::move(config).value(), home(),
        [options](std::vector<std::filesystem::path>& files) { return loadConfig(options, &files); });
    if (const auto problems = runtime::configProblems(*host.snapshot(), false); !problems.empty())
        return refuse(problems.front());
    logProviders(*host.snapshot());
    // A copy: whoever holds a snapshot keeps its plugins in use.
    const config::Config first = host.snapshot()->config;
    if (first.security.rate_limit.enabled)
        log::warn("configuration",
                  {{"warning",
                    "security.rate_limit is not enforced by this version; limit clients in front of it"}});

    if (options.no_http && first.queue.workers == 0)
        return refuse(
            "nothing to do: with --no-http only jobs are run, and queue.workers is 0; set it to 1 or more");
    if (!options.no_http) warnOfOpenDoors(first);

    std::optional<store::Salvaged> salvaged;
    auto store = store::open(storeOptions(first, options.recover), host.clock(), &salvaged);
    if (!store) return refuse(store.error().message);
    logStore(first, salvaged);
    engine::QuotaJournal journal(**store, host.clock());
    host.gates().onNew(
        [&journal](const std::string& name, limits::Gate& gate) { journal.restore(name, gate); });
    engine::Usage usage(host.clock());
    engine::UsageKeeper usage_keeper(usage, **store);
    engine::Engine engine(
        {host.snapshots(), host.transport(), host.metrics(), host.clock(), &journal, &usage});
    jobs::JobService jobs({**store, engine, host.snapshots(), host.metrics(), api::decodeStored},
                          host.clock());
    std::atomic<bool> draining{false};
    api::AdminKey kept;  // from when it was first wanted
    const auto adminKey = [&kept, &options](const config::Config& c) {
        if (options.no_http) return api::AdminKey{};
        if (!c.security.admin_key.empty()) return api::AdminKey{c.security.admin_key};
        if (kept.key.empty()) kept = keptAdminKey(c);
        return kept;
    };
    const api::AdminKey admin = adminKey(first);
    Published<api::Guard> guard(std::make_shared<const api::Guard>(first, admin));
    const auto bodies =
        std::make_shared<http::ByteBudget>(std::max(first.server.body_memory, first.server.max_body));
    std::unique_ptr<http::Server> server;  // null: without HTTP
    if (!options.no_http) {
        auto bound = http::Server::bind(
            serverOptions(first, bodies),
            api::makeRoutes({engine, jobs, usage_keeper, host.snapshots(), host.reloader(), host.metrics(),
                             host.clock(), draining, [&server] { return server ? server->inFlight() : 0; },
                             bodies}),
            [&](const http::Request& r, http::Role role, http::Headers& add) {
                return guard.get()->check(r, role, add);
            },
            [&](const http::Access& a) { logAccess(host.metrics(), a); },
            [](std::string_view message) {
                log::error("http", {{"reason", message}});
            });
        if (!bound) return refuse(bound.error().message);
        server = std::move(bound).value();
    }

    engine::Caretaker prober(engine::Chronicle::Kind::Probe, host.snapshots(), host.transport(),
                             host.clock());
    engine::Caretaker waker(engine::Chronicle::Kind::Warmup, host.snapshots(), host.transport(),
                            host.clock());
    usage_keeper.start();
    jobs.start();
    prober.start();
    waker.start();
    const Closing closing{host.reloader()};
    host.reloader().start([&](const engine::Snapshot& now) {
        guard.publish(std::make_shared<const api::Guard>(now.config, adminKey(now.config)));
        log::setLevel(now.config.log.level);
        ending->allow(now.config.server.drain_timeout);
        engine.roomMade();
        prober.look();
        waker.look();
    });
    if (server) server->start();
    tellThatItRuns(first, server.get());
    tellWhereTheAdminKeyIs(first, admin);
    tellWhereTheStoreIs(first);
    if (std::fflush(stdout) != 0)
        log::warn("standard output",
                  {{"reason", "the line that says where this listens could not be written"}});
    if (server)
        log::info("listening", {{"host", first.server.host}, {"port", static_cast<int>(server->port())}});
    if (first.queue.workers == 0)
        log::warn("jobs", {{"reason",
                            "queue.workers is 0: jobs are accepted and wait for a process that runs them"}});

    ending->allow(first.server.drain_timeout);
    waitForTermination(*ending, host.transport(), host.reloader());
    draining = true;
    host.reloader().stop();
    const SteadyTime drained = ending->asked() + host.snapshot()->config.server.drain_timeout;
    log::info("draining", {{"inFlight", server ? server->inFlight() : 0}});
    // Side by side, within the same time, and without a thread that might not be had. What finds no memory
    // does not keep the rest from being ended and written.
    prober.stop();
    waker.stop();
    hasMemoryFor("draining jobs", [&] { jobs.beginDrain(drained); });
    hasMemoryFor("draining requests", [&] {
        if (server) server->drain(drained);
    });
    hasMemoryFor("draining jobs", [&] { jobs.drain(drained); });
    hasMemoryFor("ending reloads", [&] { host.reloader().close(); });
    hasMemoryFor("storing quotas", [&] {
        for (const auto& [name, gate] : host.gates().all()) journal.close(name, *gate);
    });
    hasMemoryFor("keeping usage", [&] { usage_keeper.close(); });
    log::info("stopped");
    return kExitOk;
}

}  // namespace stepper::app
