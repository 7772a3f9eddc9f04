#include "core/runtime/reloader.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/config/compare.h"
#include "core/telemetry/log.h"
#include "core/telemetry/rounds.h"

namespace stepper::runtime {
namespace fs = std::filesystem;
namespace {

using engine::ReloadReport;

constexpr milliseconds kLookAgain{100};
// Where nobody tells of changes: network and some overlay file systems.
constexpr milliseconds kRescan{10'000};
// A file system or a plugin that keeps us longer is left alone.
constexpr milliseconds kPatience{10'000};

std::string joined(const std::vector<std::string>& sentences) {
    std::string out;
    for (const auto& s : sentences) out += (out.empty() ? "" : "; ") + s;
    return out;
}

bool contains(const std::vector<std::string>& list, const std::string& sentence) {
    return std::find(list.begin(), list.end(), sentence) != list.end();
}

void append(std::vector<std::string>& to, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(to));
}

bool isIn(const plugin::Catalog& catalog, const plugin::PluginImage* image) {
    const auto it = catalog.by_kind.find(image->kind());
    return it != catalog.by_kind.end() && it->second.get() == image;
}

// What became of the providers, apart from what the configuration says.
std::vector<std::string> comingsAndGoings(const engine::Snapshot& from, const engine::Snapshot& to) {
    std::vector<std::string> out;
    for (const auto& p : to.providers) {
        const auto* before = from.find(p.spec.name);
        const bool was = before && before->enabled();
        if (p.enabled() && !was) out.push_back("provider " + p.spec.name + " is live");
        if (!p.enabled() && (was || (before && before->disabled_reason != p.disabled_reason)))
            out.push_back("provider " + p.spec.name + " is disabled: " + p.disabled_reason);
    }
    return out;
}

plugin::LoadOptions with(plugin::LoadOptions options, std::shared_ptr<Errands> errands) {
    options.errands = std::move(errands);
    return options;
}

}  // namespace

Reloader::Reloader(ReloaderDeps deps, plugin::Ledger ledger, plugin::LoadOptions plugins)
    : deps_(std::move(deps)),
      errands_(std::make_shared<Errands>(kPatience, [this] { wake(&Reloader::hint_); })),
      library_(std::move(ledger), with(std::move(plugins), errands_),
               [this] { wake(&Reloader::attention_); }) {}

// Once it is made it is closed, whatever goes wrong with the first look.
Reloader::Reloader(ReloaderDeps deps, plugin::Ledger ledger, plugin::LoadOptions plugins,
                   config::Config config)
    : Reloader(std::move(deps), std::move(ledger), std::move(plugins)) {
    begin(std::move(config));
}

Reloader::~Reloader() { close(); }

plugin::Wanted Reloader::wantedOf(const config::Config& config) const {
    plugin::Wanted out;
    out.dir = config.plugins_dir.empty() ? deps_.default_plugins_dir : config.plugins_dir;
    out.configs = engine::pluginConfigs(config);
    out.require_sha256 = config.plugins.require_sha256;
    out.sha256 = config.plugins.sha256;
    return out;
}

void Reloader::begin(config::Config config) {
    config_files_ = config.files;
    for (const auto& warning : config.warnings) log::warn("configuration", {{"warning", warning}});
    auto seen = library_.look(wantedOf(config), plugin::Pace::Immediate);
    auto first = engine::buildSnapshot(std::move(config), std::move(seen.catalog), deps_.gates, 1);
    library_.adopt(first->catalog, first->generation);
    deps_.snapshots.publish(std::move(first));
    if (seen.problem) log::error("plugins folder", {{"reason", *seen.problem}});
    std::lock_guard lock(mutex_);
    if (seen.problem) last_.problems = {*seen.problem};
    last_.generation = 1;
    last_.at = deps_.clock.wall();
    for (const auto& file : config_files_) last_.files.push_back(file.string());
}

void Reloader::start(std::function<void(const engine::Snapshot&)> changed) {
    changed_ = std::move(changed);
    watcher_.emplace([this] { wake(&Reloader::hint_); });
    watcher_->watch(watched());
    thread_ = std::thread([this] { run(); });
}

void Reloader::stop() {
    wake(&Reloader::stop_);
    errands_->stop();
    done_.notify_all();
}

void Reloader::close() {
    stop();
    if (thread_.joinable()) thread_.join();
    watcher_.reset();
    library_.close();
}

void Reloader::wake(bool Reloader::*why) {
    {
        std::lock_guard lock(mutex_);
        this->*why = true;
    }
    work_.notify_all();
}

void Reloader::trigger() {
    {
        std::lock_guard lock(mutex_);
        ++asked_;
    }
    work_.notify_all();
}

Result<ReloadReport> Reloader::reload(SteadyTime deadline) { return request(std::nullopt, deadline); }

Result<ReloadReport> Reloader::release(const std::string& sha256, SteadyTime deadline) {
    const auto all = library_.list();
    if (std::none_of(all.begin(), all.end(), [&](const auto& l) {
            return l.state == plugin::Listing::State::Quarantined && l.sha256 == sha256;
        }))
        return Error{ErrorClass::InvalidRequest, "no plugin with the sha256 " + sha256 + " is quarantined"};
    return request(sha256, deadline);
}

Result<ReloadReport> Reloader::request(std::optional<std::string> release, SteadyTime deadline) {
    std::unique_lock lock(mutex_);
    const uint64_t mine = ++asked_;
    if (release) releases_.push_back(std::move(*release));
    work_.notify_all();
    done_.wait_until(lock, deadline, [&] { return served_ >= mine || stop_; });
    if (served_ >= mine) return last_;
    return Error{ErrorClass::Overloaded,
                 stop_ ? "the server is stopping" : "the reload has not ended in time; it goes on"};
}

ReloadReport Reloader::last() const {
    std::lock_guard lock(mutex_);
    return last_;
}

std::vector<fs::path> Reloader::watched() const {
    std::vector<fs::path> out = config_files_;
    out.push_back(wantedOf(deps_.snapshots.get()->config).dir);
    std::error_code ec;  // without a working directory they cannot be found, and stay as they are
    for (auto& path : out)
        if (auto absolute = fs::absolute(path, ec); !ec) path = std::move(absolute);
    return out;
}

std::optional<Reloader::Task> Reloader::nextTask() {
    std::unique_lock lock(mutex_);
    const bool woken = work_.wait_for(lock, unsettled_ ? kLookAgain : kRescan,
                                      [this] { return stop_ || hint_ || attention_ || asked_ > served_; });
    if (stop_) return std::nullopt;
    const Task task{asked_, asked_ > served_, woken && !hint_ && asked_ == served_};
    releasing_.splice(releasing_.end(), releases_);
    hint_ = attention_ = false;
    return task;
}

void Reloader::run() {
    while (const auto task = nextTask())
        if (!hasMemoryFor("looking at the files", [&] { work(*task); })) lookAgainLater();
}

void Reloader::work(const Task& task) {
    for (; !releasing_.empty(); releasing_.pop_front()) library_.release(releasing_.front());
    const bool taken_back = library_.settle(std::chrono::steady_clock::now());
    announce();
    if (task.only_attention && !taken_back) return;
    look(task.wanted ? plugin::Pace::Immediate : plugin::Pace::Careful);
    watcher_->watch(watched());
    {
        std::lock_guard lock(mutex_);
        served_ = task.asked;
    }
    done_.notify_all();
}

// Whoever waits for the look goes on waiting: what it would be told now is of an older one.
void Reloader::lookAgainLater() {
    std::unique_lock lock(mutex_);
    hint_ = true;
    work_.wait_for(lock, kLookAgain, [this] { return stop_; });
}

void Reloader::look(plugin::Pace pace) {
    const auto started = std::chrono::steady_clock::now();
    ReloadReport report;
    auto fresh = freshConfig(report);
    // What is wrong with the configuration does not keep a plugin from being replaced.
    if (!fresh || !apply(*fresh, pace, report))
        apply(deps_.snapshots.get()->config, plugin::Pace::Careful, report);
    report.generation = deps_.snapshots.get()->generation;
    report.at = deps_.clock.wall();
    report.took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
    tell(std::move(report));
}

std::optional<config::Config> Reloader::freshConfig(ReloadReport& report) {
    struct Read {
        Result<config::Config> config;
        std::vector<fs::path> files;
    };
    auto read = errands_->run<Read>("reading the configuration", [load = deps_.load]() -> Result<Read> {
        std::vector<fs::path> files;
        auto config = load(files);
        return Read{std::move(config), std::move(files)};
    });
    if (read) config_files_ = std::move(read->files);
    for (const auto& file : config_files_) report.files.push_back(file.string());
    auto config = read ? std::move(read->config) : Result<config::Config>(read.error());
    if (!config) {
        for (const auto line : splitLines(config.error().message)) report.problems.emplace_back(line);
        return std::nullopt;
    }
    report.restart = config::keepFixed(*config, deps_.snapshots.get()->config);
    return std::move(config).value();
}

bool Reloader::apply(const config::Config& config, plugin::Pace pace, ReloadReport& report) {
    const auto running = deps_.snapshots.get();
    for (;;) {
        auto seen = library_.look(wantedOf(config), pace);
        unsettled_ = seen.unsettled;
        if (seen.problem && !contains(report.problems, *seen.problem))
            report.problems.push_back(*seen.problem);
        pace = plugin::Pace::Careful;  // what was refused just now is not tried again
        auto next = engine::buildSnapshot(config, std::move(seen.catalog), deps_.gates,
                                          running->generation + 1, running.get());
        std::vector<std::string> problems;
        bool refused = false;
        for (const auto& p : next->providers) {
            if (!p.isRefused()) continue;
            const auto& image = next->catalog.by_kind.find(p.spec.plugin)->second;
            // A new plugin that does not take what is configured is the plugin's fault.
            if (!isIn(running->catalog, image.get())) {
                using Until = plugin::Library::Until;
                library_.refuse(*image, "provider " + p.spec.name + ": " + p.disabled_reason,
                                p.absence == engine::Absence::NoMeansNow ? Until::NextTime : Until::Change);
                refused = true;
                break;
            }
            problems.push_back(config::describe(p.spec.mark) + ": provider " + p.spec.name + ": " +
                               p.disabled_reason);
        }
        if (refused) continue;
        if (problems.empty()) {
            publish(std::move(next), report);
            return true;
        }
        append(report.problems, std::move(problems));
        return false;
    }
}

void Reloader::publish(std::shared_ptr<const engine::Snapshot> next, ReloadReport& report) {
    const auto running = deps_.snapshots.get();
    auto changes = config::differences(running->config, next->config);
    append(changes, comingsAndGoings(*running, *next));
    if (changes.empty() && running->catalog.by_kind == next->catalog.by_kind) return;
    for (const auto& warning : next->config.warnings)
        if (const auto& known = running->config.warnings;
            std::find(known.begin(), known.end(), warning) == known.end())
            log::warn("configuration", {{"warning", warning}});
    append(report.changes, library_.adopt(next->catalog, next->generation));
    append(report.changes, std::move(changes));
    deps_.gates.reconfigure(*next);
    announced_ = false;
    deps_.snapshots.publish(std::move(next));
    announce();
}

// Again until it is through: keys and limits that were replaced must not stay in force.
void Reloader::announce() {
    if (announced_) return;
    if (changed_) changed_(*deps_.snapshots.get());
    announced_ = true;
}

void Reloader::tell(ReloadReport report) {
    ReloadReport before = last();
    if (!report.changes.empty())
        log::info("reloaded", {{"generation", report.generation},
                               {"changes", joined(report.changes)},
                               {"ms", report.took.count()}});
    if (!report.ok() && report.problems != before.problems)
        log::error("reload refused; what was in force stays",
                   {{"generation", report.generation}, {"problems", joined(report.problems)}});
    if (!report.restart.empty() && report.restart != before.restart)
        log::warn("these changes wait for a restart", {{"keys", joined(report.restart)}});
    if (report.ok() && !before.ok()) log::info("the files are in order again");
    if (!report.changes.empty() || report.problems != before.problems)
        deps_.metrics.reload(report.ok(), static_cast<int64_t>(report.generation));
    const auto all = library_.list();
    for (const auto state :
         {plugin::Listing::State::Live, plugin::Listing::State::Probation, plugin::Listing::State::Retired,
          plugin::Listing::State::Rejected, plugin::Listing::State::Quarantined}) {
        deps_.metrics.pluginsInState(
            plugin::name(state),
            std::count_if(all.begin(), all.end(), [&](const auto& l) { return l.state == state; }));
    }
    std::lock_guard lock(mutex_);
    last_ = std::move(report);
}

}  // namespace stepper::runtime
