#include "core/plugin/library/in_force.h"

#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/telemetry/log.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

// A step that takes longer is looked at once more after as long.
constexpr milliseconds kHung{5'000};
constexpr const char* kHangs = "a step of it hangs; isolation: process would end it";

// Why it may not stay. What hangs and has no predecessor may: its own concurrency keeps the harm small, and
// to have none of it at all is no remedy.
std::optional<std::string> charge(const InForce::Live& live, bool hangs) {
    const Conduct& conduct = live.image->conduct();
    if (hangs) return live.previous ? std::optional<std::string>(kHangs) : std::nullopt;
    if (auto accused = conduct.accusation()) return accused;
    if (live.probation && conduct.probation() == Probation::Failed) return conduct.complaint();
    return {};
}

std::string versionOf(const Image& image, const char* none) { return image ? image->version() : none; }

// Logs what came and returns it as a sentence; `old` may be null.
std::string tell(const std::string& kind, const InForce::Live& live, const Image& old) {
    const std::string &version = live.image->version(), file = live.file.string();
    log::info(old ? "plugin replaced" : "plugin loaded", {{"kind", kind},
                                                          {"version", version},
                                                          {"was", versionOf(old, "")},
                                                          {"sha256", live.image->sha256()},
                                                          {"file", file},
                                                          {"generation", live.generation},
                                                          {"probation", live.probation ? "yes" : "no"}});
    if (!old) return "plugin " + kind + " " + version + " loaded from " + file;
    return "plugin " + kind + " " + old->version() + " replaced by " + version + " from " + file;
}

}  // namespace

bool HangWatch::hangs(std::optional<SteadyTime> oldest, SteadyTime now) {
    if (!oldest || now - *oldest < kHung) {
        *this = {};
        return false;
    }
    if (began_ != oldest) {
        began_ = oldest;
        noticed_ = now;
    }
    return now - noticed_ >= kHung;
}

InForce::InForce(Ledger& ledger, Shelf& shelf)
    : ledger_(ledger), shelf_(shelf), first_start_(ledger.isNew()) {}

Image InForce::of(const std::string& kind) const {
    const auto live = live_.find(kind);
    return live == live_.end() ? nullptr : live->second.image;
}

std::vector<std::string> InForce::adopt(const Catalog& catalog, uint64_t generation) {
    std::vector<std::string> changes;
    for (const auto& [kind, image] : catalog.by_kind)
        if (of(kind) != image) changes.push_back(put(kind, image, generation));
    endOthers(catalog, changes);
    first_start_ = false;
    if (!changes.empty()) dropUnusedCopies();
    return changes;
}

// What is known of the file, if it is of that content.
const KnownFile* InForce::known(const fs::path& file, const Image& image) const {
    const KnownFile* known = ledger_.find(file.filename());
    return known && known->sha256 == image->sha256() ? known : nullptr;
}

bool InForce::needsProbation(const fs::path& file, const Image& image) const {
    if (first_start_ || sound_.contains(image->sha256())) return false;
    const KnownFile* before = known(file, image);
    return !before || before->probation;
}

InForce::Live InForce::successor(const Live& old, const Image& image, uint64_t generation) const {
    Live out = old;
    out.file = shelf_.fileOffering(image);
    out.image = image;
    out.generation = generation;
    out.probation = needsProbation(out.file, image);
    if (old.image && !old.probation) out.previous = old.image;
    if (!old.image && out.probation)
        out.previous = shelf_.lastGood(out.file, image->sha256());  // it was replaced while nobody ran
    if (out.previous == image) out.previous = nullptr;
    return out;
}

std::string InForce::put(const std::string& kind, const Image& image, uint64_t generation) {
    Live& live = live_[kind];
    const Live old = std::exchange(live, successor(live, image, generation));
    if (old.image && old.file != live.file) warnUnless(ledger_.forget(old.file.filename()));
    shelf_.keep(image);
    if (live.probation)
        image->conduct().beginProbation();
    else
        sound_.insert(image->sha256());
    const KnownFile* before = known(live.file, image);
    note(live, before ? before->deaths : 0);
    return tell(kind, live, old.image);
}

void InForce::note(const Live& live, int deaths) {
    const std::string previous = live.previous ? live.previous->sha256() : "";
    warnUnless(ledger_.note(live.file.filename(), {live.image->sha256(), previous, live.probation, deaths}));
}

void InForce::endOthers(const Catalog& catalog, std::vector<std::string>& changes) {
    std::erase_if(live_, [&](const auto& entry) {
        const auto& [kind, live] = entry;
        if (catalog.by_kind.contains(kind)) return false;
        changes.push_back("plugin " + kind + " is gone");
        warnUnless(ledger_.forget(live.file.filename()));
        return true;
    });
}

bool InForce::settle(SteadyTime now) {
    std::vector<std::pair<std::string, std::string>> failed;
    for (auto& [kind, live] : live_) {
        const bool hangs = live.watch.hangs(live.image->conduct().oldestStep(), now);
        if (auto why = charge(live, hangs))
            failed.emplace_back(kind, *std::move(why));
        else if (hangs && live.watch.isNews())
            log::error("plugin hangs",
                       {{"kind", kind}, {"version", live.image->version()}, {"reason", kHangs}});
        else if (!hangs && live.probation && live.image->conduct().probation() == Probation::Passed)
            pass(kind, live);
    }
    for (const auto& [kind, why] : failed) takeBack(kind, why);
    return !failed.empty();
}

void InForce::pass(const std::string& kind, Live& live) {
    live.probation = false;
    sound_.insert(live.image->sha256());
    note(live);
    log::info("plugin passed probation", {{"kind", kind}, {"version", live.image->version()}});
}

void InForce::takeBack(const std::string& kind, const std::string& why) {
    Live& live = live_[kind];
    const Image bad = std::exchange(live.image, std::exchange(live.previous, nullptr));
    log::error("plugin taken back", {{"kind", kind},
                                     {"version", bad->version()},
                                     {"sha256", bad->sha256()},
                                     {"reason", why},
                                     {"instead", versionOf(live.image, "none")}});
    sound_.erase(bad->sha256());
    warnUnless(ledger_.quarantine(bad->sha256(), why));
    shelf_.quarantine(bad, live.image, why);
    live.probation = false;
    live.watch = {};
    if (live.image) return note(live);
    warnUnless(ledger_.forget(live.file.filename()));
    live_.erase(kind);
}

void InForce::dropUnusedCopies() const {
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
