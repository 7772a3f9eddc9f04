#include "core/runtime/runtime.h"

#include "core/config/effective.h"
#include "core/store/open.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"

namespace stepper::runtime {
namespace {

void logProviders(const engine::Snapshot& snapshot) {
    for (const auto& p : snapshot.providers) {
        const bool missed = p.absence == engine::Absence::PluginMissing && p.spec.enabled;
        if (p.enabled())
            log::info("provider enabled",
                      {{"name", p.spec.name}, {"plugin", p.spec.plugin}, {"model", p.spec.model}});
        else
            log::write(missed ? log::Level::Warn : log::Level::Info, "provider disabled",
                       {{"name", p.spec.name}, {"reason", p.disabled_reason}});
    }
}

void logStore(const config::Config& config, const std::optional<store::Salvaged>& salvaged) {
    log::info("store opened",
              {{"url", config::shownUrl(config.store_url)}, {"durability", config.store_durability}});
    if (salvaged)
        log::warn("damaged store recovered", {{"rows", salvaged->rows},
                                              {"unreadablePlaces", salvaged->gaps},
                                              {"damagedFile", salvaged->damaged_path}});
}

store::OpenOptions storeOptions(const config::Config& config, bool recover) {
    store::OpenOptions out;
    out.url = config.store_url;
    out.durability = config.store_durability == "full" ? store::Durability::Full : store::Durability::Normal;
    out.recover = recover;
    out.crashes = jobs::crashPolicy();
    return out;
}

Result<std::unique_ptr<store::Store>> openStore(const config::Config& config, bool recover,
                                                const Clock& clock) {
    std::optional<store::Salvaged> salvaged;
    auto store = store::open(storeOptions(config, recover), clock, &salvaged);
    if (store) logStore(config, salvaged);
    return store;
}

LoadConfig always(const config::Config& config) {
    return [config](auto&) -> Result<config::Config> { return config; };
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::make(Options options) {
    if (!options.load) options.load = always(options.config);
    auto host =
        std::make_unique<Host>(std::move(options.config), std::move(options.home), std::move(options.load));
    const auto first = host->snapshot();
    if (auto problems = configProblems(*first, false); !problems.empty())
        return Error{ErrorClass::Config, std::move(problems.front())};
    logProviders(*first);
    if (options.approve)
        if (auto approved = options.approve(*first); !approved) return std::move(approved).error();
    auto store = openStore(first->config, options.recover_store, host->clock());
    if (!store) return std::move(store).error();
    return std::unique_ptr<Runtime>(
        new Runtime(std::move(host), std::move(store).value(), std::move(options.decode)));
}

Runtime::Runtime(std::unique_ptr<Host> host, std::unique_ptr<store::Store> store, jobs::Decoder decode)
    : host_(std::move(host)),
      store_(std::move(store)),
      journal_(*store_, clock()),
      usage_(clock()),
      usage_keeper_(usage_, *store_),
      engine_({snapshots(), host_->transport(), metrics(), clock(), &journal_, &usage_}),
      jobs_({*store_, engine_, snapshots(), metrics(), std::move(decode)}, clock()),
      prober_(engine::Chronicle::Kind::Probe, snapshots(), host_->transport(), clock()),
      waker_(engine::Chronicle::Kind::Warmup, snapshots(), host_->transport(), clock()) {
    host_->gates().onNew(
        [this](const std::string& name, limits::Gate& gate) { journal_.restore(name, gate); });
}

// Its thread uses what was made after it.
Runtime::~Runtime() { reloader().close(); }

void Runtime::start(std::function<void(const engine::Snapshot&)> changed) {
    usage_keeper_.start();
    jobs_.start();
    prober_.start();
    waker_.start();
    reloader().start([this, changed = std::move(changed)](const engine::Snapshot& now) {
        if (changed) changed(now);
        engine_.roomMade();
        prober_.look();
        waker_.look();
    });
}

void Runtime::beginDrain(SteadyTime deadline) {
    reloader().stop();
    prober_.stop();
    waker_.stop();
    hasMemoryFor("draining jobs", [&] { jobs_.beginDrain(deadline); });
}

void Runtime::drain(SteadyTime deadline) {
    beginDrain(deadline);
    hasMemoryFor("draining jobs", [&] { jobs_.drain(deadline); });
    hasMemoryFor("ending reloads", [&] { reloader().close(); });
    hasMemoryFor("storing quotas", [&] {
        for (const auto& [name, gate] : host_->gates().all()) journal_.close(name, *gate);
    });
    hasMemoryFor("keeping usage", [&] { usage_keeper_.close(); });
}

void Runtime::tidy() {
    hasMemoryFor("closing idle connections", [&] { host_->transport().closeExpired(); });
}

}  // namespace stepper::runtime
