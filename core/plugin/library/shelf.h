// What the files of a plugins folder offer: each its content, or while that is refused what it held before.
// A refused, broken or deleted file never takes away what works.
//
//   file -> checks -> private copy -> probe in a child -> image
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/plugin/library/folder.h"
#include "core/plugin/library/image.h"
#include "core/plugin/library/ledger.h"
#include "core/plugin/library/wanted.h"

namespace stepper::plugin {

enum class Pace {
    Careful,   // a file that changed a moment ago may still be written: look again later
    Immediate  // somebody asked: now
};

// Used by one thread.
class Shelf {
public:
    struct Seen {
        Print print;
        std::string sha256;   // of its content, if that could be read
        Image image;          // what it offers
        std::string refusal;  // why its content is not offered
        std::string told;     // the last refusal that was logged
        bool quarantined = false;
        bool for_now = false;  // what refuses it may pass
    };
    // When what was refused for the sake of the configuration is offered again: once what is wanted or the
    // file changes, or at the next time, if it may be able to then.
    enum class Until { Change, NextTime };
    struct Look {
        bool unsettled = false;             // look again soon
        std::optional<std::string> unread;  // why the folder cannot be listed
        bool missing = false;               // and that it is because there is none
    };

    // Borrows the ledger, whose folder `options.copies_dir` is. `attention` is every image's, on any thread.
    Shelf(Ledger& ledger, LoadOptions options, std::function<void()> attention);
    // Ends the plugins that nobody uses.
    ~Shelf();
    Shelf(const Shelf&) = delete;
    Shelf& operator=(const Shelf&) = delete;

    // Takes as long as probes take.
    Look look(const Wanted& wanted, Pace pace);
    const std::map<std::filesystem::path, Seen>& files() const { return seen_; }
    // Which file it came from.
    std::filesystem::path fileOffering(const Image& image) const;
    // What that file held before, as far as it is known and still sound; else null.
    Image lastGood(const std::filesystem::path& file, const std::string& other_than);

    // From now on the file that offers `image` offers `instead`, which may be null.
    void refuse(const PluginImage& image, const Image& instead, const std::string& reason, Until until);
    void quarantine(const Image& image, const Image& instead, const std::string& why);
    // What was quarantined is forgiven.
    void release(const std::string& sha256);
    // What was refused until next time is looked at anew.
    void nextTime();

    // By sha256: whatever was ever in force, for it stays mapped.
    const std::map<std::string, Image>& kept() const { return kept_; }
    void keep(const Image& image) { kept_[image->sha256()] = image; }

private:
    template <class T>
    Result<T> errand(const std::string& what, std::function<Result<T>()> work) const;
    void forgetRefusals();
    bool isMissing(const Error& listing) const;
    bool inspect(const std::filesystem::path& file, const Print& print, Pace pace);
    void examine(const std::filesystem::path& file, Seen& seen);
    Result<Image> take(std::shared_ptr<const PluginFile> file);
    Result<void> mayTake(const PluginFile& file) const;
    Result<Image> again(const PluginFile& file) const;
    void watch(const PluginImage& image);

    Ledger& ledger_;
    LoadOptions options_;
    const std::shared_ptr<const std::function<void()>> attention_;  // images outlive this
    Wanted wanted_;                                                 // of the last look
    std::map<std::filesystem::path, Seen> seen_;
    std::map<std::string, Image> kept_;
};

}  // namespace stepper::plugin
