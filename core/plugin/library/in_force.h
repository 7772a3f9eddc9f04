// What is in force for each kind: since when, what it replaced, and whether it may stay.
//
//   adopt() -> probation -> stays | previous image again, content quarantined
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/plugin/library/catalog.h"
#include "core/plugin/library/ledger.h"
#include "core/plugin/library/shelf.h"

namespace stepper::plugin {

// A step that seems to hang. It is seen twice, with time to go on in between: a process that was stopped or
// starved must not condemn a plugin.
class HangWatch {
public:
    // `oldest`: when the step began that has been running longest; none runs: empty.
    bool hangs(std::optional<SteadyTime> oldest, SteadyTime now);
    // True once for each that hangs.
    bool isNews() { return !std::exchange(told_, true); }

private:
    std::optional<SteadyTime> began_;
    SteadyTime noticed_{};
    bool told_ = false;
};

// Used by one thread.
class InForce {
public:
    struct Live {
        std::filesystem::path file;
        Image image, previous;  // previous: shown to be sound, or null
        uint64_t generation = 0;
        bool probation = false;
        HangWatch watch;
    };

    // Borrows both; `ledger` is the shelf's, too.
    InForce(Ledger& ledger, Shelf& shelf);

    const std::map<std::string, Live>& byKind() const { return live_; }
    // Null when there is none.
    Image of(const std::string& kind) const;

    // Puts all of it in force, and nothing else. Returns sentences on what changed.
    std::vector<std::string> adopt(const Catalog& catalog, uint64_t generation);
    // Draws the consequences of what images have done. True when one was taken back.
    bool settle(SteadyTime now);

private:
    const KnownFile* known(const std::filesystem::path& file, const Image& image) const;
    bool needsProbation(const std::filesystem::path& file, const Image& image) const;
    Live successor(const Live& old, const Image& image, uint64_t generation) const;
    std::string put(const std::string& kind, const Image& image, uint64_t generation);
    void endOthers(const Catalog& catalog, std::vector<std::string>& changes);
    void pass(const std::string& kind, Live& live);
    void takeBack(const std::string& kind, const std::string& why);
    void note(const Live& live, int deaths = 0);
    void dropUnusedCopies() const;

    Ledger& ledger_;
    Shelf& shelf_;
    bool first_start_;
    std::map<std::string, Live> live_;
    std::set<std::string> sound_;  // sha256 of what needs no probation
};

}  // namespace stepper::plugin
