#include "core/plugin/library/shelf.h"

#include <system_error>
#include <utility>

#include "core/telemetry/log.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

using Files = std::map<fs::path, Print>;
using Content = std::shared_ptr<const PluginFile>;

Result<Content> readContent(const fs::path& file) {
    auto whole = readPluginFile(file);
    if (!whole) return std::move(whole).error();
    return Content(std::make_shared<PluginFile>(std::move(whole).value()));
}

}  // namespace

Shelf::Shelf(Ledger& ledger, LoadOptions options, std::function<void()> attention)
    : ledger_(ledger),
      options_(std::move(options)),
      attention_(std::make_shared<const std::function<void()>>(std::move(attention))) {
    options_.copies_dir = ledger_.dir();
}

Shelf::~Shelf() {
    for (const auto& [sha, image] : kept_)
        if (image->users() == 0 && !image->conduct().anyRuns()) image->deinit();
}

// What may hang does so on a thread that can be left behind.
template <class T>
Result<T> Shelf::errand(const std::string& what, std::function<Result<T>()> work) const {
    return options_.errands ? options_.errands->run<T>(what, std::move(work)) : work();
}

Shelf::Look Shelf::look(const Wanted& wanted, Pace pace) {
    if (pace == Pace::Immediate || wanted != wanted_) forgetRefusals();
    wanted_ = wanted;
    options_.configs = wanted.configs;
    const auto files = errand<Files>("reading the plugins folder " + wanted.dir.string(),
                                     [dir = wanted.dir] { return surveyFolder(dir); });
    Look out;
    if (!files) {
        out.unread = files.error().message;
        out.missing = isMissing(files.error());
        // Of a folder that cannot be read nothing is known to have changed.
        if (out.missing) seen_.clear();
        return out;
    }
    std::erase_if(seen_, [&](const auto& entry) { return !files->contains(entry.first); });
    for (const auto& [file, print] : *files) out.unsettled |= !inspect(file, print, pace);
    return out;
}

// What was refused for the sake of the configuration, or for a moment, is given another chance.
void Shelf::forgetRefusals() {
    for (auto& [file, seen] : seen_)
        if (!seen.refusal.empty()) seen.print = {};
}

bool Shelf::isMissing(const Error& listing) const {
    std::error_code ec;
    return listing.error_class == ErrorClass::Config &&
           fs::status(wanted_.dir, ec).type() == fs::file_type::not_found;
}

// False when it is too early.
bool Shelf::inspect(const fs::path& file, const Print& print, Pace pace) {
    Seen& seen = seen_[file];
    const bool can_be_read = print.size >= 0;
    if (can_be_read && print == seen.print) return true;
    if (can_be_read && pace == Pace::Careful && isYoung(print)) return false;
    seen.print = print;
    examine(file, seen);
    return true;
}

void Shelf::examine(const fs::path& file, Seen& seen) {
    const std::string before = std::exchange(seen.refusal, {});
    seen.quarantined = false;
    const auto read = errand<Content>("reading " + file.string(), [file] { return readContent(file); });
    seen.sha256 = read ? (*read)->sha256 : "";
    if (read && seen.image && seen.image->sha256() == seen.sha256) return;
    auto image = read ? take(*read) : Result<Image>(read.error());
    if (image) {
        seen.image = std::move(image).value();
        return;
    }
    seen.refusal = image.error().message;
    if (image.error().error_class == ErrorClass::Overloaded) seen.print = {};  // no fault of the file
    seen.quarantined = read && ledger_.quarantined(seen.sha256).has_value();
    if (!seen.image) seen.image = lastGood(file, seen.sha256);
    if (seen.refusal == before) return;
    log::warn("plugin refused",
              {{"file", file.string()},
               {"reason", seen.refusal},
               {"instead", seen.image ? "version " + seen.image->version() + " of before" : "none"}});
}

Result<Image> Shelf::take(Content file) {
    if (auto allowed = mayTake(*file); !allowed) return std::move(allowed).error();
    if (auto known = again(*file); !known || *known) return known;
    auto image = errand<Image>("trying " + file->path.string(),
                               [file, options = options_] { return PluginImage::load(*file, options); });
    if (image) watch(**image);
    return image;
}

Result<void> Shelf::mayTake(const PluginFile& file) const {
    const auto why = ledger_.quarantined(file.sha256);
    if (!why) return checkPin(file.path, file.sha256, wanted_);
    return Error{ErrorClass::Config, file.path.string() + ": quarantined: " + *why +
                                         "; DELETE /admin/plugins/quarantine/" + file.sha256 +
                                         " lets it try again"};
}

// The image there is of that content; null when there is none, or none whose copy is where it was.
Result<Image> Shelf::again(const PluginFile& file) const {
    const auto known = kept_.find(file.sha256);
    if (known == kept_.end()) return Image();
    const Image& image = known->second;
    if (image->copy().isThere()) return image;
    const auto copy = PrivateCopy::make({image->file(), file.bytes, file.sha256}, options_.copies_dir);
    if (!copy) return copy.error();
    return copy->path() == image->copy().path() ? image : Image();
}

void Shelf::watch(const PluginImage& image) {
    image.conduct().countCallsIn(ledger_.runningCalls(image.sha256()));
    image.conduct().onAttention([attention = std::weak_ptr(attention_)] {
        if (const auto call = attention.lock()) (*call)();
    });
}

Image Shelf::lastGood(const fs::path& file, const std::string& other_than) {
    const KnownFile* known = ledger_.find(file.filename());
    if (!known) return nullptr;
    for (const std::string& sha : {known->sha256, known->previous}) {
        if (sha.empty() || sha == other_than || ledger_.quarantined(sha)) continue;
        auto copy = readPluginFile(copyPath(ledger_.dir(), file, sha));
        if (!copy || copy->sha256 != sha) continue;
        copy->path = file;
        if (auto image = take(std::make_shared<PluginFile>(std::move(copy).value()))) return *image;
    }
    return nullptr;
}

fs::path Shelf::fileOffering(const Image& image) const {
    for (const auto& [file, seen] : seen_)
        if (seen.image == image) return file;
    return image->file();
}

void Shelf::refuse(const PluginImage& image, const Image& instead, const std::string& reason, Until until) {
    for (auto& [file, seen] : seen_) {
        if (seen.image.get() != &image) continue;
        seen.refusal = file.string() + ": " + reason;
        seen.image = instead;
        seen.for_now = until == Until::NextTime;
        if (std::exchange(seen.told, seen.refusal) == seen.refusal) return;
        log::warn("plugin refused", {{"file", file.string()}, {"reason", seen.refusal}});
        return;
    }
}

void Shelf::quarantine(const Image& image, const Image& instead, const std::string& why) {
    for (auto& [file, seen] : seen_) {
        if (seen.image != image) continue;
        seen.image = instead;
        seen.refusal = file.string() + ": quarantined: " + why;
        seen.quarantined = true;
    }
}

void Shelf::release(const std::string& sha256) {
    for (auto& [file, seen] : seen_)
        if (seen.sha256 == sha256) seen.print = {};
    if (const auto known = kept_.find(sha256); known != kept_.end()) known->second->conduct().pardon();
}

void Shelf::nextTime() {
    for (auto& [file, seen] : seen_)
        if (std::exchange(seen.for_now, false))
            seen.print = {};
        else
            seen.told.clear();
}

}  // namespace stepper::plugin
