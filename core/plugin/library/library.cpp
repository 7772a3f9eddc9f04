#include "core/plugin/library/library.h"

#include <utility>

#include "core/plugin/isolation/belongings.h"
#include "core/telemetry/log.h"

namespace stepper::plugin {
namespace {

// What plugins may have done to the process without anybody being able to say which.
void putProcessRight() {
    if (restoreStandardStreams())
        log::error("standard streams put back", {{"reason", "a plugin had closed or replaced one of them"}});
    if (const int strays = ChildProcess::endStrays(); strays > 0)
        log::error("processes of plugins ended",
                   {{"count", strays},
                    {"reason", "a plugin started them and left them running; it may start none"}});
}

// One image for each kind: of two files' the one in force, else the first by name; what is wanted and has
// lost its file stays. `refused` gets what stands back for no fault of its own.
decltype(Catalog::by_kind) choose(const Shelf& shelf, const InForce& in_force, const Wanted& wanted,
                                  std::vector<Refused>& refused) {
    decltype(Catalog::by_kind) out;
    const auto& live = in_force.byKind();
    for (const auto& [file, seen] : shelf.files()) {
        if (!seen.image) continue;
        // What was taken before its hash was asked for.
        if (const auto pinned = checkPin(file, seen.image->sha256(), wanted); !pinned) {
            refused.push_back({file, pinned.error().message});
            continue;
        }
        const auto [chosen, is_first] = out.emplace(seen.image->kind(), seen.image);
        if (is_first) continue;
        auto holder = shelf.fileOffering(chosen->second), other = file;
        if (const auto one = live.find(chosen->first); one != live.end() && one->second.file == file) {
            chosen->second = seen.image;
            std::swap(holder, other);
        }
        refused.push_back({other, other.string() + ": kind " + chosen->first + " is already provided by " +
                                      holder.string()});
    }
    for (const auto& [kind, one] : live)
        if (wanted.configs.contains(kind) && checkPin(one.file, one.image->sha256(), wanted))
            out.emplace(kind, one.image);
    return out;
}

}  // namespace

Library::Library(Ledger ledger, LoadOptions options, std::function<void()> attention)
    : ledger_(std::move(ledger)),
      shelf_(ledger_, std::move(options), std::move(attention)),
      in_force_(ledger_, shelf_) {
    for (const auto& finding : ledger_.findings()) log::warn("plugin ledger", {{"reason", finding}});
}

Library::Look Library::look(const Wanted& wanted, Pace pace) {
    const auto seen = shelf_.look(wanted, pace);
    others_.clear();
    if (seen.unread) others_.push_back({wanted.dir, *seen.unread});
    Look out;
    out.catalog.by_kind = choose(shelf_, in_force_, wanted, others_);
    for (const auto& [file, one] : shelf_.files())
        if (!one.refusal.empty()) out.catalog.refused.push_back({file, one.refusal});
    out.catalog.refused.insert(out.catalog.refused.end(), others_.begin(), others_.end());
    out.unsettled = seen.unsettled;
    if (!seen.missing) out.problem = seen.unread;
    show();
    return out;
}

void Library::refuse(const PluginImage& image, std::string reason, Until until) {
    shelf_.refuse(image, in_force_.of(image.kind()), std::move(reason), until);
    show();
}

std::vector<std::string> Library::adopt(const Catalog& catalog, uint64_t generation) {
    shelf_.nextTime();
    auto changes = in_force_.adopt(catalog, generation);
    show();
    return changes;
}

bool Library::settle(SteadyTime now) {
    putProcessRight();
    const bool taken_back = in_force_.settle(now);
    show();
    return taken_back;
}

bool Library::release(const std::string& sha256) {
    const auto released = ledger_.release(sha256);
    if (!released) log::warn("plugin ledger", {{"reason", released.error().message}});
    if (released && !*released) return false;
    shelf_.release(sha256);
    return true;
}

void Library::close() { warnUnless(ledger_.close()); }

}  // namespace stepper::plugin
