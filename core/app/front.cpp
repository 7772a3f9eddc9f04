#include "core/app/front.h"

#include <algorithm>

#include "core/api/api.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"

namespace stepper::app {
namespace {

using Bodies = std::shared_ptr<http::ByteBudget>;

http::ServerOptions serverOptions(const config::Config& config, Bodies bodies) {
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

}  // namespace

Result<std::unique_ptr<Front>> Front::bind(const config::Config& config, runtime::Runtime& runtime,
                                           std::shared_ptr<const Doors> doors) {
    auto out = std::make_unique<Front>();
    if (!doors) return out;
    const auto bodies =
        std::make_shared<http::ByteBudget>(std::max(config.server.body_memory, config.server.max_body));
    auto routes = api::makeRoutes({runtime.engine(), runtime.jobs(), runtime.usage(), runtime.snapshots(),
                                   runtime.reloader(), runtime.metrics(), runtime.clock(), out->draining_,
                                   [front = out.get()] { return front->inFlight(); }, bodies});
    auto server = http::Server::bind(
        serverOptions(config, bodies), std::move(routes),
        [doors = std::move(doors)](const http::Request& r, http::Role role, http::Headers& add) {
            return doors->guard()->check(r, role, add);
        },
        [&metrics = runtime.metrics()](const http::Access& a) { logAccess(metrics, a); },
        [](std::string_view message) {
            log::error("http", {{"reason", message}});
        });
    if (!server) return std::move(server).error();
    out->server_ = std::move(server).value();
    return out;
}

void Front::drain(SteadyTime deadline) {
    hasMemoryFor("draining requests", [&] {
        if (server_) server_->drain(deadline);
    });
}

}  // namespace stepper::app
