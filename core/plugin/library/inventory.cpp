#include "core/plugin/library/inventory.h"

#include <set>

namespace stepper::plugin {
namespace {

// `image` may be null.
Listing listing(Listing::State state, const std::filesystem::path& file, const Image& image) {
    Listing out;
    out.state = state;
    out.file = file;
    if (!image) return out;
    out.kind = image->kind();
    out.version = image->version();
    out.sha256 = image->sha256();
    return out;
}

template <class Map>
auto findOr(const Map& map, const typename Map::key_type& key, typename Map::mapped_type otherwise = {}) {
    const auto it = map.find(key);
    return it == map.end() ? otherwise : it->second;
}

}  // namespace

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

Inventory::Row Inventory::ofLive(const InForce::Live& live, const Shelf& shelf) {
    const auto state = live.probation ? Listing::State::Probation : Listing::State::Live;
    Row out{listing(state, live.file, live.image), live.image};
    out.fixed.generation = live.generation;
    if (!shelf.files().contains(live.file))
        out.fixed.reason = "its file is gone; it stays in force until the process ends";
    return out;
}

Inventory::Row Inventory::ofRefused(const std::filesystem::path& file, const Shelf::Seen& seen,
                                    const Shelf& shelf) {
    const auto state = seen.quarantined ? Listing::State::Quarantined : Listing::State::Rejected;
    const Image image = findOr(shelf.kept(), seen.sha256);
    Row out{listing(state, file, image), image};
    if (!image && seen.image) out.fixed.kind = seen.image->kind();
    out.fixed.sha256 = seen.sha256;
    out.fixed.reason = seen.refusal;
    return out;
}

Inventory::Row Inventory::ofOther(const Refused& other, const Shelf& shelf) {
    Row out{listing(Listing::State::Rejected, other.file, findOr(shelf.files(), other.file).image), nullptr};
    out.fixed.reason = other.reason;
    return out;
}

void Inventory::show(const Shelf& shelf, const InForce& in_force, const std::vector<Refused>& others) {
    std::vector<Row> rows;
    for (const auto& [kind, live] : in_force.byKind()) rows.push_back(ofLive(live, shelf));
    for (const auto& [file, seen] : shelf.files())
        if (!seen.refusal.empty()) rows.push_back(ofRefused(file, seen, shelf));
    std::set<Image> shown;
    for (const auto& row : rows) shown.insert(row.image);
    for (const auto& other : others) rows.push_back(ofOther(other, shelf));
    for (const auto& [sha, image] : shelf.kept())
        if (!shown.contains(image))
            rows.push_back({listing(Listing::State::Retired, image->file(), image), image});
    std::lock_guard lock(mutex_);
    rows_.swap(rows);
}

std::vector<Listing> Inventory::list() const {
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
