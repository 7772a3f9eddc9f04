#include "core/plugin/library/library.h"

namespace stepper::plugin {

std::string_view name(Listing::State s) {
    switch (s) {
        case Listing::State::Live: return "live";
        case Listing::State::Probation: return "probation";
        case Listing::State::Retired: return "retired";
        case Listing::State::Rejected: return "rejected";
        case Listing::State::Quarantined: break;
    }
    return "quarantined";
}

void Library::show() {
    std::vector<Row> rows;
    std::set<const PluginImage*> shown;
    const auto of = [](Listing::State state, const Image& image) {
        Listing l;
        l.state = state;
        l.file = image->file();
        l.kind = image->kind();
        l.version = image->version();
        l.sha256 = image->sha256();
        return l;
    };
    for (const auto& [kind, live] : live_) {
        Listing l = of(live.probation ? Listing::State::Probation : Listing::State::Live, live.image);
        l.file = live.file;
        l.generation = live.generation;
        if (!seen_.contains(live.file))
            l.reason = "its file is gone; it stays in force until the process ends";
        shown.insert(live.image.get());
        rows.push_back({std::move(l), live.image});
    }
    for (const auto& [file, seen] : seen_) {
        if (seen.refusal.empty()) continue;
        const auto known = images_.find(seen.sha256);
        const Image image = known == images_.end() ? nullptr : known->second;
        const auto state = seen.quarantined ? Listing::State::Quarantined : Listing::State::Rejected;
        Listing l = image ? of(state, image) : Listing{};
        l.state = state;
        l.file = file;
        if (l.kind.empty() && seen.image) l.kind = seen.image->kind();
        l.sha256 = seen.sha256;
        l.reason = seen.refusal;
        if (image) shown.insert(image.get());
        rows.push_back({std::move(l), image});
    }
    for (const auto& [file, reason] : others_) {
        const auto seen = seen_.find(file);
        const Image image = seen == seen_.end() ? nullptr : seen->second.image;
        Listing l = image ? of(Listing::State::Rejected, image) : Listing{};
        l.state = Listing::State::Rejected;
        l.file = file;
        l.reason = reason;
        rows.push_back({std::move(l), nullptr});
    }
    for (const auto& [sha, image] : images_)
        if (!shown.contains(image.get())) rows.push_back({of(Listing::State::Retired, image), image});
    std::lock_guard lock(mutex_);
    rows_.swap(rows);
}

std::vector<Listing> Library::list() const {
    std::lock_guard lock(mutex_);
    std::vector<Listing> out;
    for (const auto& row : rows_) {
        out.push_back(row.fixed);
        if (!row.image) continue;
        out.back().users = row.image->users();
        out.back().counts = row.image->conduct().counts();
    }
    return out;
}

}  // namespace stepper::plugin
