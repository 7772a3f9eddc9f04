#include "core/plugin/library/library.h"

#include <algorithm>
#include <system_error>

#include "core/base/file.h"
#include "core/plugin/isolation/belongings.h"
#include "core/telemetry/log.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

// A step that takes longer is looked at once more after as long.
constexpr milliseconds kHung{5'000};
constexpr const char* kHangs = "a step of it hangs; isolation: process would end it";

Error refused(const fs::path& file, std::string why) {
    return Error{ErrorClass::Config, file.string() + ": " + std::move(why)};
}

Result<void> checkPin(const fs::path& file, const std::string& sha256, const Demand& demand) {
    const std::string stem = file.stem();
    const auto pin = demand.sha256.find(stem);
    if (pin == demand.sha256.end()) {
        if (!demand.require_sha256) return {};
        return refused(file,
                       "no hash is configured for it, and plugins.require_sha256 is on; if you trust it, "
                       "add plugins.sha256." +
                           stem + ": " + sha256);
    }
    const auto& allowed = pin->second;
    if (std::find(allowed.begin(), allowed.end(), sha256) != allowed.end()) return {};
    return refused(file, "its sha256 is " + sha256 + ", which plugins.sha256." + stem + " does not name");
}

// What could not be written down holds until the process ends.
void tell(const Result<void>& written) {
    if (!written) log::warn("plugin ledger", {{"reason", written.error().message}});
}

}  // namespace

Library::Library(Ledger ledger, LoadOptions options, std::function<void()> attention)
    : options_(std::move(options)),
      attention_(std::make_shared<const std::function<void()>>(std::move(attention))),
      ledger_(std::move(ledger)),
      first_start_(ledger_.isNew()) {
    options_.copies_dir = ledger_.dir();
    for (const auto& finding : ledger_.findings()) log::warn("plugin ledger", {{"reason", finding}});
}

Library::~Library() {
    for (const auto& [sha, image] : images_)
        if (image->users() == 0 && !image->conduct().anyRuns()) image->deinit();
}

// What may hang does so on a thread that can be left behind.
template <class T>
Result<T> Library::errand(const std::string& what, std::function<Result<T>()> work) const {
    return options_.errands ? options_.errands->run<T>(what, std::move(work)) : work();
}

// What was refused for the sake of the configuration, or for a moment, is given another chance.
void Library::forgetRefusals() {
    for (auto& [file, seen] : seen_)
        if (!seen.refusal.empty()) seen.print = {};
}

Library::Look Library::look(const Demand& demand, Pace pace) {
    Look out;
    if (pace == Pace::Immediate || demand != demand_) forgetRefusals();
    demand_ = demand;
    using Files = std::map<fs::path, Print>;
    const auto files = errand<Files>("reading the plugins folder " + demand.dir.string(),
                                     [dir = demand.dir] { return surveyFolder(dir); });
    std::error_code ec;
    const bool missing = !files && files.error().error_class == ErrorClass::Config &&
                         fs::status(demand.dir, ec).type() == fs::file_type::not_found;
    // Of a folder that cannot be read nothing is known to have changed.
    if (files || missing)
        std::erase_if(seen_, [&](const auto& entry) { return !files || !files->contains(entry.first); });
    if (!files && !missing) out.problem = files.error().message;
    for (const auto& [file, print] : files ? *files : Files{}) {
        Seen& seen = seen_[file];
        if (print == seen.print && print.size >= 0) continue;
        if (pace == Pace::Careful && print.size >= 0 && isYoung(print)) {
            out.unsettled = true;
            continue;
        }
        seen.print = print;
        examine(file, seen, demand);
    }
    others_.clear();
    if (!files) others_.push_back({demand.dir, files.error().message});
    out.catalog = choose(demand);
    show();
    return out;
}

void Library::examine(const fs::path& file, Seen& seen, const Demand& demand) {
    const std::string before = seen.refusal;
    seen.refusal.clear();
    seen.quarantined = false;
    using Read = std::shared_ptr<const PluginFile>;
    const auto looked = errand<Read>("reading " + file.string(), [file]() -> Result<Read> {
        auto whole = readPluginFile(file);
        if (!whole) return std::move(whole).error();
        return Read(std::make_shared<PluginFile>(std::move(whole).value()));
    });
    const Read read = looked ? *looked : nullptr;
    seen.sha256 = read ? read->sha256 : "";
    if (read && seen.image && seen.image->sha256() == seen.sha256) return;
    auto image = read ? take(read, demand) : Result<Image>(looked.error());
    if (image) {
        seen.image = std::move(image).value();
        return;
    }
    seen.refusal = image.error().message;
    if (image.error().error_class == ErrorClass::Overloaded) seen.print = {};  // no fault of the file
    seen.quarantined = read && ledger_.quarantined(read->sha256).has_value();
    if (!seen.image) seen.image = lastGood(file, demand, seen.sha256);
    if (seen.refusal == before) return;
    log::warn("plugin refused",
              {{"file", file.string()},
               {"reason", seen.refusal},
               {"instead", seen.image ? "version " + seen.image->version() + " of before" : "none"}});
}

Result<Library::Image> Library::take(std::shared_ptr<const PluginFile> file, const Demand& demand) {
    if (const auto why = ledger_.quarantined(file->sha256))
        return refused(file->path, "quarantined: " + *why + "; DELETE /admin/plugins/quarantine/" +
                                       file->sha256 + " lets it try again");
    if (auto pinned = checkPin(file->path, file->sha256, demand); !pinned) return std::move(pinned).error();
    if (const auto known = images_.find(file->sha256); known != images_.end()) {
        if (known->second->copy().isThere()) return known->second;
        const PluginFile same{known->second->file(), file->bytes, file->sha256};
        const auto copy = PrivateCopy::make(same, options_.copies_dir);
        if (!copy) return copy.error();
        if (copy->path() == known->second->copy().path()) return known->second;
    }
    options_.configs = demand.configs;
    auto image = errand<Image>("trying " + file->path.string(),
                               [file, options = options_] { return PluginImage::load(*file, options); });
    if (image) {
        (*image)->conduct().countCallsIn(ledger_.runningCalls(file->sha256));
        (*image)->conduct().onAttention([attention = std::weak_ptr(attention_)] {
            if (const auto call = attention.lock()) (*call)();
        });
    }
    return image;
}

Library::Image Library::lastGood(const fs::path& file, const Demand& demand, const std::string& other_than) {
    const KnownFile* known = ledger_.find(file.filename());
    if (!known) return nullptr;
    for (const std::string& sha : {known->sha256, known->previous}) {
        if (sha.empty() || sha == other_than || ledger_.quarantined(sha)) continue;
        auto copy = readPluginFile(copyPath(ledger_.dir(), file, sha));
        if (!copy || copy->sha256 != sha) continue;
        copy->path = file;
        if (auto image = take(std::make_shared<PluginFile>(std::move(copy).value()), demand)) return *image;
    }
    return nullptr;
}

Catalog Library::choose(const Demand& demand) {
    Catalog out;
    for (const auto& [file, seen] : seen_) {
        if (!seen.refusal.empty()) out.refused.push_back({file, seen.refusal});
        if (!seen.image) continue;
        // What was taken before its hash was asked for.
        if (const auto pinned = checkPin(file, seen.image->sha256(), demand); !pinned) {
            others_.push_back({file, pinned.error().message});
            continue;
        }
        const auto live = live_.find(seen.image->kind());
        const auto [chosen, is_first] = out.by_kind.emplace(seen.image->kind(), seen.image);
        if (is_first) continue;
        // Who was there first stays, else the first by name.
        const bool takes_over = live != live_.end() && live->second.file == file;
        const fs::path other = takes_over ? fileOffering(chosen->second) : file;
        const fs::path holder = takes_over ? file : fileOffering(chosen->second);
        if (takes_over) chosen->second = seen.image;
        others_.push_back({other, other.string() + ": kind " + chosen->first + " is already provided by " +
                                      holder.string()});
    }
    for (const auto& [kind, live] : live_)
        if (demand.configs.contains(kind) && checkPin(live.file, live.image->sha256(), demand))
            out.by_kind.emplace(kind, live.image);
    out.refused.insert(out.refused.end(), others_.begin(), others_.end());
    return out;
}

fs::path Library::fileOffering(const Image& image) const {
    for (const auto& [file, seen] : seen_)
        if (seen.image == image) return file;
    return image->file();
}

void Library::refuse(const PluginImage& image, std::string reason, Until until) {
    const auto live = live_.find(image.kind());
    for (auto& [file, seen] : seen_) {
        if (seen.image.get() != &image) continue;
        seen.refusal = file.string() + ": " + std::move(reason);
        seen.image = live == live_.end() ? nullptr : live->second.image;
        seen.for_now = until == Until::NextTime;
        if (std::exchange(seen.told, seen.refusal) == seen.refusal) break;
        log::warn("plugin refused", {{"file", file.string()}, {"reason", seen.refusal}});
        break;
    }
    show();
}

bool Library::needsProbation(const std::string& name, const PluginImage& image) const {
    if (first_start_ || sound_.contains(image.sha256())) return false;
    const KnownFile* known = ledger_.find(name);
    return !known || known->sha256 != image.sha256() || known->probation;
}

std::vector<std::string> Library::adopt(const Catalog& catalog, uint64_t generation) {
    std::vector<std::string> changes;
    for (auto& [file, seen] : seen_)
        if (std::exchange(seen.for_now, false))
            seen.print = {};
        else
            seen.told.clear();
    for (const auto& [kind, image] : catalog.by_kind)
        if (const auto live = live_.find(kind); live == live_.end() || live->second.image != image)
            changes.push_back(putInForce(kind, image, generation));
    for (auto it = live_.begin(); it != live_.end();) {
        if (catalog.by_kind.contains(it->first)) {
            ++it;
            continue;
        }
        changes.push_back("plugin " + it->first + " is gone");
        tell(ledger_.forget(it->second.file.filename()));
        it = live_.erase(it);
    }
    first_start_ = false;
    if (!changes.empty()) dropUnusedCopies();
    show();
    return changes;
}

std::string Library::putInForce(const std::string& kind, const Image& image, uint64_t generation) {
    Live& live = live_[kind];
    const Image old = live.image;
    const fs::path file = fileOffering(image);
    const KnownFile* known = ledger_.find(file.filename());
    const int deaths = known && known->sha256 == image->sha256() ? known->deaths : 0;
    const bool probation = needsProbation(file.filename(), *image);
    if (old && !live.probation) live.previous = old;
    if (!old && probation)
        live.previous = lastGood(file, demand_, image->sha256());  // it was replaced while nobody ran
    if (live.previous == image) live.previous = nullptr;
    if (old && live.file != file) tell(ledger_.forget(live.file.filename()));
    live.file = file;
    live.image = image;
    live.generation = generation;
    live.probation = probation;
    images_[image->sha256()] = image;
    if (live.probation) {
        image->conduct().beginProbation();
    } else {
        sound_.insert(image->sha256());
    }
    tell(ledger_.note(file.filename(), {image->sha256(), live.previous ? live.previous->sha256() : "",
                                        live.probation, deaths}));
    log::info(old ? "plugin replaced" : "plugin loaded", {{"kind", kind},
                                                          {"version", image->version()},
                                                          {"was", old ? old->version() : ""},
                                                          {"sha256", image->sha256()},
                                                          {"file", file.string()},
                                                          {"generation", generation},
                                                          {"probation", live.probation ? "yes" : "no"}});
    if (!old) return "plugin " + kind + " " + image->version() + " loaded from " + file.string();
    return "plugin " + kind + " " + old->version() + " replaced by " + image->version() + " from " +
           file.string();
}

// Seen twice, with time to go on in between: a process that was stopped or starved must not condemn a plugin.
bool Library::hangs(Live& live, SteadyTime now) {
    const auto began = live.image->conduct().oldestStep();
    if (!began || now - *began < kHung) {
        live.hanging.reset();
        live.told = false;
        return false;
    }
    if (live.hanging != began) {
        live.hanging = began;
        live.noticed = now;
    }
    return now - live.noticed >= kHung;
}

bool Library::settle(SteadyTime now) {
    if (restoreStandardStreams())
        log::error("standard streams put back", {{"reason", "a plugin had closed or replaced one of them"}});
    if (const int strays = ChildProcess::endStrays(); strays > 0)
        log::error("processes of plugins ended",
                   {{"count", strays},
                    {"reason", "a plugin started them and left them running; it may start none"}});
    std::vector<std::pair<std::string, std::string>> failed;
    for (auto& [kind, live] : live_) {
        if (hangs(live, now)) {
            if (live.previous) failed.emplace_back(kind, kHangs);
            // Its own concurrency keeps the harm small, and to have none of it at all is no remedy.
            if (!live.previous && !std::exchange(live.told, true))
                log::error("plugin hangs",
                           {{"kind", kind}, {"version", live.image->version()}, {"reason", kHangs}});
            continue;
        }
        if (auto accused = live.image->conduct().accusation()) {
            failed.emplace_back(kind, *std::move(accused));
            continue;
        }
        if (!live.probation) continue;
        const Verdict verdict = live.image->conduct().verdict();
        if (verdict == Verdict::Failed) failed.emplace_back(kind, live.image->conduct().complaint());
        if (verdict != Verdict::Passed) continue;
        live.probation = false;
        sound_.insert(live.image->sha256());
        tell(ledger_.note(live.file.filename(),
                          {live.image->sha256(), live.previous ? live.previous->sha256() : "", false, 0}));
        log::info("plugin passed probation", {{"kind", kind}, {"version", live.image->version()}});
    }
    for (const auto& [kind, why] : failed) takeBack(kind, why);
    show();
    return !failed.empty();
}

void Library::takeBack(const std::string& kind, const std::string& why) {
    Live& live = live_[kind];
    const Image bad = live.image;
    log::error("plugin taken back", {{"kind", kind},
                                     {"version", bad->version()},
                                     {"sha256", bad->sha256()},
                                     {"reason", why},
                                     {"instead", live.previous ? live.previous->version() : "none"}});
    sound_.erase(bad->sha256());
    tell(ledger_.quarantine(bad->sha256(), why));
    for (auto& [file, seen] : seen_) {
        if (seen.image != bad) continue;
        seen.image = live.previous;
        seen.refusal = file.string() + ": quarantined: " + why;
        seen.quarantined = true;
    }
    const std::string name = live.file.filename();
    if (live.previous) {
        live.image = std::move(live.previous);
        live.probation = false;
        live.hanging.reset();
        tell(ledger_.note(name, {live.image->sha256(), "", false, 0}));
    } else {
        live_.erase(kind);
        tell(ledger_.forget(name));
    }
}

bool Library::release(const std::string& sha256) {
    const auto released = ledger_.release(sha256);
    if (!released) log::warn("plugin ledger", {{"reason", released.error().message}});
    if (released && !*released) return false;
    for (auto& [file, seen] : seen_)
        if (seen.sha256 == sha256) seen.print = {};
    if (const auto known = images_.find(sha256); known != images_.end()) known->second->conduct().pardon();
    return true;
}

void Library::close() { tell(ledger_.close()); }

void Library::dropUnusedCopies() const {
    std::set<fs::path> used;
    for (const auto& [kind, live] : live_)
        for (const auto& image : {live.image, live.previous})
            if (image) used.insert(image->copy().file());
    const auto names = namesIn(ledger_.dir());
    if (!names) return;
    for (const auto& name : *names) {
        const fs::path file = ledger_.dir() / name;
        if (file.filename().string().find(".so") != std::string::npos && !used.contains(file)) {
            std::error_code ignored;  // untidy, no more
            fs::remove(file, ignored);
        }
    }
}

}  // namespace stepper::plugin
