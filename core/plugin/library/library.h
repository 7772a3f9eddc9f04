// The plugins folder, live: what its files offer (shelf.h), what is in force for each kind and what was
// before it (in_force.h), and what people are shown of both.
//
//   look() -> (the caller builds everything) -> adopt() -> settle() now and then
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/plugin/library/catalog.h"
#include "core/plugin/library/in_force.h"
#include "core/plugin/library/inventory.h"
#include "core/plugin/library/ledger.h"
#include "core/plugin/library/listing.h"
#include "core/plugin/library/shelf.h"

namespace stepper::plugin {

// Belongs to one thread, but for list(), which any may call.
class Library {
public:
    // `options.copies_dir` is the ledger's folder. `attention` is called, on any thread, when settle() has
    // work.
    Library(Ledger ledger, LoadOptions options, std::function<void()> attention);
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    // What would be in force now. Takes as long as probes take; nothing changes for anybody until adopt().
    struct Look {
        Catalog catalog;
        bool unsettled = false;              // look again soon
        std::optional<std::string> problem;  // with the folder as a whole; a missing one is none
    };
    Look look(const Wanted& wanted, Pace pace);
    // The image cannot serve what is configured: it is not offered again until what is wanted or the file
    // changes, or until the look behind the next adoption, if it may be able to then.
    using Until = Shelf::Until;
    void refuse(const PluginImage& image, std::string reason, Until until);
    // Puts it in force; before anybody can reach the new images, because the ledger has to know first.
    // Returns sentences on what changed.
    std::vector<std::string> adopt(const Catalog& catalog, uint64_t generation);
    // Draws the consequences of probations that are over, and of steps that never end. True when look() would
    // now show something else. To be called now and then; `now` is the steady clock's.
    bool settle(SteadyTime now);
    // Lifts a quarantine. False when there was none.
    bool release(const std::string& sha256);
    // The process is about to end as it should.
    void close();

    std::vector<Listing> list() const { return inventory_.list(); }

private:
    void show() { inventory_.show(shelf_, in_force_, others_); }

    Ledger ledger_;
    Shelf shelf_;
    InForce in_force_;
    std::vector<Refused> others_;  // what is refused for no fault of a file: the folder, a kind twice
    Inventory inventory_;
};

}  // namespace stepper::plugin
