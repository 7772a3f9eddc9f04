// The plugins folder, live: which content of which file is in force for each kind, what came before it, what
// was refused and why. A refused, broken or deleted file never takes away what works.
//
//   file -> checks -> private copy -> probe in a child -> image -> (the caller builds everything) -> adopt()
//        -> probation -> stays | previous image again, content quarantined
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/plugin/library/catalog.h"
#include "core/plugin/library/folder.h"
#include "core/plugin/library/ledger.h"
#include "core/plugin/library/listing.h"

namespace stepper::plugin {

// What may be taken.
struct Demand {
    std::filesystem::path dir;
    // Providers' configurations by kind, for the probe; a kind without enabled providers has none. Kinds that
    // are not named are not wanted by anybody.
    std::map<std::string, std::vector<std::string>> configs;
    bool require_sha256 = false;
    std::map<std::string, std::vector<std::string>> sha256;  // by file name without .so

    bool operator==(const Demand&) const = default;
};

enum class Pace {
    Careful,   // a file that changed a moment ago may still be written: look again later
    Immediate  // somebody asked: now
};

// Belongs to one thread, but for list(), which any may call.
class Library {
public:
    // `options.copies_dir` is the ledger's folder. `attention` is called, on any thread, when settle() has
    // work.
    Library(Ledger ledger, LoadOptions options, std::function<void()> attention);
    // Ends the plugins that nobody uses.
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    // What would be in force now. Takes as long as probes take; nothing changes for anybody until adopt().
    struct Look {
        Catalog catalog;
        bool unsettled = false;              // look again soon
        std::optional<std::string> problem;  // with the folder as a whole; a missing one is none
    };
    Look look(const Demand& demand, Pace pace);
    // The image cannot serve what is configured: it is not offered again until the demand or the file
    // changes, or until the look behind the next adoption, if it may be able to then.
    enum class Until { Change, NextTime };
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

    std::vector<Listing> list() const;

private:
    using Image = std::shared_ptr<const PluginImage>;

    struct Seen {
        Print print;
        std::string sha256;   // of its content, if that could be read
        Image image;          // what it offers: its content's, or while that is refused the one before
        std::string refusal;  // why its content is not offered
        std::string told;     // the last refusal that was logged
        bool quarantined = false;
        bool for_now = false;  // what refuses it may pass
    };
    // What is in force for a kind.
    struct Live {
        std::filesystem::path file;
        Image image, previous;  // previous: shown to be sound, or null
        uint64_t generation = 0;
        bool probation = false;
        // A step that seems to hang: when it began, and since when that is known.
        std::optional<SteadyTime> hanging = {};
        SteadyTime noticed = {};
        bool told = false;
    };
    struct Row {
        Listing fixed;
        Image image;  // for what changes by itself; null for a refused file
    };

    template <class T>
    Result<T> errand(const std::string& what, std::function<Result<T>()> work) const;
    void forgetRefusals();
    void examine(const std::filesystem::path& file, Seen& seen, const Demand& demand);
    Result<Image> take(std::shared_ptr<const PluginFile> file, const Demand& demand);
    Image lastGood(const std::filesystem::path& file, const Demand& demand, const std::string& other_than);
    Catalog choose(const Demand& demand);
    bool needsProbation(const std::string& name, const PluginImage& image) const;
    std::string putInForce(const std::string& kind, const Image& image, uint64_t generation);
    static bool hangs(Live& live, SteadyTime now);
    void takeBack(const std::string& kind, const std::string& why);
    std::filesystem::path fileOffering(const Image& image) const;
    void dropUnusedCopies() const;
    void show();

    LoadOptions options_;
    const std::shared_ptr<const std::function<void()>> attention_;  // images outlive this
    Ledger ledger_;
    bool first_start_;
    std::map<std::filesystem::path, Seen> seen_;
    std::vector<Refused> others_;          // what is refused for no fault of a file: the folder, a kind twice
    std::map<std::string, Live> live_;     // by kind
    std::map<std::string, Image> images_;  // by sha256: whatever was ever in force, for it stays mapped
    std::set<std::string> sound_;          // sha256 of what needs no probation
    Demand demand_;                        // of the last look
    mutable std::mutex mutex_;             // rows_
    std::vector<Row> rows_;
};

}  // namespace stepper::plugin
