// What is remembered of plugin files from one run to the next: the content each had, what is quarantined and
// why, and what was on probation when the process died. One JSON file in the state folder, replaced as a
// whole.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/descriptor.h"
#include "core/base/result.h"
#include "core/plugin/isolation/call_marks.h"

namespace stepper::plugin {

// Of a file in the plugins folder, by its name.
struct KnownFile {
    std::string sha256;      // of what was taken last
    std::string previous;    // of what it replaced and would be replaced with, "" when there is nothing
    bool probation = false;  // not yet shown to be sound
    int deaths = 0;          // of processes in a call of it while it was on probation
};

// Used by one thread. The folder belongs to one process at a time.
class Ledger {
public:
    // Of no folder: remembers until the process ends.
    Ledger() = default;
    // Opens the folder, made with mode 0700. What was not known to be sound is quarantined if the process
    // before died in a call of it; a death while none ran says nothing of it. A file that cannot be
    // understood is set aside. Config error when the folder cannot be used or another process uses it.
    static Result<Ledger> open(const std::filesystem::path& dir);

    const std::filesystem::path& dir() const { return dir_; }
    // Complete sentences on what was found at opening.
    const std::vector<std::string>& findings() const { return findings_; }
    // Nothing has ever been taken here.
    bool isNew() const { return files_.empty(); }

    // Counts the calls of that content that run in this process; null: they are not counted.
    RunningCalls* runningCalls(const std::string& sha256) { return marks_ ? marks_->of(sha256) : nullptr; }

    const KnownFile* find(const std::string& file) const;
    // Why that content is not taken; empty when it may be.
    std::optional<std::string> quarantined(const std::string& sha256) const;

    // These change it and write it down; an error means that the change is forgotten at the end of the
    // process.
    Result<void> note(const std::string& file, KnownFile known);
    Result<void> forget(const std::string& file);
    Result<void> quarantine(const std::string& sha256, std::string reason);
    // False when it was not quarantined.
    Result<bool> release(const std::string& sha256);
    // The process ends as it should: nobody died of what is on probation.
    Result<void> close();

private:
    void read();
    void understand(std::string_view text);
    void condemnDead();
    Result<void> write() const;

    std::filesystem::path dir_;
    Descriptor lock_;
    std::unique_ptr<CallMarks> marks_;
    std::map<std::string, KnownFile> files_;
    std::map<std::string, std::string> quarantine_;  // reason by sha256
    std::vector<std::string> findings_;
};

// Logs what could not be written down: it holds until the process ends.
void warnUnless(const Result<void>& written);

}  // namespace stepper::plugin
