#include <cstdio>

#include "core/api/generate_request.h"
#include "core/app/admin_token.h"
#include "core/app/configuration.h"
#include "core/app/ending.h"
#include "core/app/front.h"
#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/base/endpoint.h"
#include "core/base/store_url.h"
#include "core/telemetry/log.h"
#include "core/transport/descriptors.h"

namespace stepper::app {
namespace {

// Idle upstream connections are looked after this often while nothing else happens.
constexpr milliseconds kHousekeeping{20'000};

// Returns when the process should end.
void waitForTermination(Ending& ending, runtime::Runtime& runtime) {
    for (;;) {
        const auto asked = ending.wait(kHousekeeping);
        if (asked == Ending::Asked::End) return;
        if (asked == Ending::Asked::Look) runtime.reloader().trigger();
        if (asked == Ending::Asked::Nothing) runtime.tidy();
    }
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

// Whoever reaches it spends the providers' quotas and reads everybody's jobs.
void warnOfOpenDoors(const config::Config& config) {
    if (config.security.api_key_enabled || isLoopback(config.server.host)) return;
    log::warn("open to the network",
              {{"reason", "this server listens on " + bracketed(config.server.host) +
                              " and asks for no API key: set STEPPER_API_KEY (security.api_key), or HOST "
                              "(server.listen) to 127.0.0.1"}});
}

Result<void> approve(const Options& options, const config::Config& config) {
    if (config.security.rate_limit.enabled)
        log::warn("configuration",
                  {{"warning",
                    "security.rate_limit is not enforced by this version; limit clients in front of it"}});
    if (options.no_http && config.queue.workers == 0)
        return Error{
            ErrorClass::Config,
            "nothing to do: with --no-http only jobs are run, and queue.workers is 0; set it to 1 or more"};
    if (!options.no_http) warnOfOpenDoors(config);
    return {};
}

runtime::Options runtimeOptions(const Options& options, config::Config config) {
    runtime::Options out;
    out.config = std::move(config);
    out.load = [options](std::vector<std::filesystem::path>& files) { return loadConfig(options, &files); };
    out.home = home();
    out.decode = api::decodeStored;
    out.recover_store = options.recover;
    out.approve = [options](const engine::Snapshot& first) { return approve(options, first.config); };
    return out;
}

void tellWhereTheStoreIs(const config::Config& config) {
    if (const auto url = parseStoreUrl(config.store_url); url.kind == StoreUrl::Kind::Sqlite)
        std::printf("stepper: jobs and answers are kept in %s\n", url.path.c_str());
}

// For people, and for what starts this program.
void tellThatItRuns(const config::Config& config, const Front& front, const Doors* doors) {
    if (const auto port = front.port())
        std::printf("stepper: listening on http://%s:%u\n", bracketed(config.server.host).c_str(), *port);
    else
        std::printf("stepper: running jobs, without HTTP\n");
    if (doors && doors->keepKey())
        std::printf("stepper: the key of /admin is in %s\n", adminTokenPath(config).c_str());
    tellWhereTheStoreIs(config);
    if (std::fflush(stdout) != 0)
        log::warn("standard output",
                  {{"reason", "the line that says where this listens could not be written"}});
    if (front.port())
        log::info("listening", {{"host", config.server.host}, {"port", static_cast<int>(*front.port())}});
    if (config.queue.workers == 0)
        log::warn("jobs", {{"reason",
                            "queue.workers is 0: jobs are accepted and wait for a process that runs them"}});
}

}  // namespace

int serve(const Options& options) {
    // First of all: reading files of a dead server may take for ever.
    const auto ending = Ending::prepare();
    auto config = loadConfig(options);
    if (!config) return refuse(config.error().message);
    openLog(config->log.level, config->log.format);
    warnOfDescriptors(config->server.max_connections);

    auto made = runtime::Runtime::make(runtimeOptions(options, std::move(config).value()));
    if (!made) return refuse(made.error().message);
    runtime::Runtime& runtime = **made;
    // A copy: whoever holds a snapshot keeps its plugins in use.
    const config::Config first = runtime.snapshots().get()->config;
    const auto doors = options.no_http ? nullptr : std::make_shared<Doors>(first);
    auto bound = Front::bind(first, runtime, doors);
    if (!bound) return refuse(bound.error().message);
    Front& front = **bound;

    runtime.start([doors, &ending](const engine::Snapshot& now) {
        if (doors) doors->replace(now.config);
        log::setLevel(now.config.log.level);
        ending->allow(now.config.server.drain_timeout);
    });
    front.start();
    tellThatItRuns(first, front, doors.get());
    ending->allow(first.server.drain_timeout);
    waitForTermination(*ending, runtime);

    // Side by side, within the same time, and without a thread that might not be had.
    front.beginDrain();
    const SteadyTime drained = ending->asked() + runtime.snapshots().get()->config.server.drain_timeout;
    log::info("draining", {{"inFlight", front.inFlight()}});
    runtime.beginDrain(drained);
    front.drain(drained);
    runtime.drain(drained);
    log::info("stopped");
    return kExitOk;
}

}  // namespace stepper::app
