// What people are shown of the library.
#pragma once
#include <mutex>
#include <vector>

#include "core/plugin/library/catalog.h"
#include "core/plugin/library/in_force.h"
#include "core/plugin/library/listing.h"
#include "core/plugin/library/shelf.h"

namespace stepper::plugin {

// Safe from any thread.
class Inventory {
public:
    // From now on this is shown; users and counts as they are when somebody asks.
    void show(const Shelf& shelf, const InForce& in_force, const std::vector<Refused>& others);
    std::vector<Listing> list() const;

private:
    struct Row {
        Listing fixed;
        Image image;  // for what changes by itself; null for a refused file
    };
    static Row ofLive(const InForce::Live& live, const Shelf& shelf);
    static Row ofRefused(const std::filesystem::path& file, const Shelf::Seen& seen, const Shelf& shelf);
    static Row ofOther(const Refused& other, const Shelf& shelf);

    mutable std::mutex mutex_;
    std::vector<Row> rows_;
};

}  // namespace stepper::plugin
